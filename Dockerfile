# An image of the one static binary, run as nobody in particular. It needs the
# settings of the README's cloud or standalone mode: in local mode it listens on
# the container's own loopback, where nobody reaches it.

FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
# With .git, from which `guestlist version` comes.
COPY . .
ARG TARGETOS TARGETARCH
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -ldflags "-s -w" -o /out/guestlist . \
    && mkdir /out/data

# Certificate authorities, /tmp and the user 65532, and nothing else.
FROM gcr.io/distroless/static-debian13:nonroot
COPY --from=build /out/guestlist /guestlist
# Where DATABASE_URL's default, sqlite:data/guestlist.db, is under the root.
COPY --from=build --chown=65532:65532 /out/data /data
WORKDIR /
# Garbage collection for a container of 256 MB; see docs/decisions/0027.
ENV GOGC=200 GOMEMLIMIT=160MiB
VOLUME /data
EXPOSE 8080
USER 65532:65532
# Whether it lives, not whether its database does: who acts on this restarts. There is
# no shell and no curl to ask with.
HEALTHCHECK --interval=30s --timeout=6s --start-period=10s CMD ["/guestlist", "health"]
ENTRYPOINT ["/guestlist"]
