# An image of the static binary, run as an unprivileged user. Use the settings of cloud
# or standalone mode (README.md): local mode listens on the container's own loopback,
# where nothing reaches it.

FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
# Includes .git, which `guestlist version` is taken from.
COPY . .
ARG TARGETOS TARGETARCH
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -ldflags "-s -w" -o /out/guestlist . \
    && mkdir /out/data

# Contains certificate authorities, /tmp and the user 65532.
FROM gcr.io/distroless/static-debian13:nonroot
COPY --from=build /out/guestlist /guestlist
# The directory of DATABASE_URL's default, sqlite:data/guestlist.db.
COPY --from=build --chown=65532:65532 /out/data /data
WORKDIR /
# Garbage collection for a container of 256 MB; see docs/decisions/0027.
ENV GOGC=200 GOMEMLIMIT=160MiB
VOLUME /data
EXPOSE 8080
USER 65532:65532
# Running, not ready: a failed check leads to a restart, which doesn't fix a database.
# The image has no shell and no curl.
HEALTHCHECK --interval=30s --timeout=6s --start-period=10s CMD ["/guestlist", "health"]
ENTRYPOINT ["/guestlist"]
