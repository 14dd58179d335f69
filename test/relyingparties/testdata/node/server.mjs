// A small web application that people sign in to with OpenID Connect, by openid-client. It is started
// with its settings as JSON: issuer, client_id, client_secret, and address, where it listens.
import { createServer } from "node:http";
import { randomUUID } from "node:crypto";
import { createRemoteJWKSet, jwtVerify } from "jose";
import * as oidc from "openid-client";

const settings = JSON.parse(process.argv[2]);
const home = `http://${settings.address}`;
const config = await oidc.discovery(new URL(settings.issuer), settings.client_id, settings.client_secret, undefined, {
  execute: [
    oidc.allowInsecureRequests, // on one machine, without TLS
    oidc.enableNonRepudiationChecks, // verifies signatures of ID tokens, too
  ],
});
const keys = createRemoteJWKSet(new URL(config.serverMetadata().jwks_uri));
const sessions = new Map(); // by the browser's cookie
const pending = new Map(); // sign-ins that have begun, by their state

// signIn returns where the browser goes to sign in.
async function signIn() {
  const state = oidc.randomState();
  const verifier = oidc.randomPKCECodeVerifier();
  const nonce = oidc.randomNonce();
  pending.set(state, { verifier, nonce });
  return oidc.buildAuthorizationUrl(config, {
    redirect_uri: `${home}/callback`,
    scope: "openid profile email groups offline_access",
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    nonce,
  }).href;
}

// accountOf describes the user for whom tokens were issued, by the ID token and by the user info
// endpoint, which must agree.
async function accountOf(tokens) {
  const claims = tokens.claims();
  const info = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub);
  for (const [name, value] of Object.entries(info)) {
    if (JSON.stringify(claims[name]) !== JSON.stringify(value)) {
      throw new Error(`${name} is ${JSON.stringify(claims[name])} in the ID token and ${JSON.stringify(value)} in the user info`);
    }
  }
  return {
    claims,
    access_token: tokens.access_token,
    refresh_token: tokens.refresh_token,
    id_token: tokens.id_token,
  };
}

// handle answers a request with a status, headers and a body.
async function handle(request, body) {
  const url = new URL(request.url, home);
  const cookie = /(?:^|; )tool=([^;]+)/.exec(request.headers.cookie ?? "")?.[1];
  const session = sessions.get(cookie);
  const redirect = (to, more) => [303, { Location: to, ...more }, ""];
  switch (url.pathname) {
    case "/page":
      return session ? [200, { "Content-Type": "application/json" }, JSON.stringify(session)] : redirect(await signIn());
    case "/callback": {
      const { verifier, nonce } = pending.get(url.searchParams.get("state"));
      pending.delete(url.searchParams.get("state"));
      const tokens = await oidc.authorizationCodeGrant(config, url, {
        pkceCodeVerifier: verifier, expectedNonce: nonce, expectedState: url.searchParams.get("state"), idTokenExpected: true,
      });
      const key = randomUUID();
      sessions.set(key, await accountOf(tokens));
      return redirect("/page", { "Set-Cookie": `tool=${key}; Path=/; HttpOnly; SameSite=Lax` });
    }
    case "/refresh":
      try {
        sessions.set(cookie, await accountOf(await oidc.refreshTokenGrant(config, session.refresh_token)));
      } catch (error) {
        if (!(error instanceof oidc.ResponseBodyError)) {
          throw error;
        }
        sessions.delete(cookie);
        return [401, {}, `${error.status} ${error.error}`];
      }
      return redirect("/page");
    case "/sign-out":
      sessions.delete(cookie);
      return redirect(oidc.buildEndSessionUrl(config, { id_token_hint: session.id_token, post_logout_redirect_uri: `${home}/signed-out` }).href);
    case "/signed-out":
      return [200, {}, "Signed out of the tool"];
    case "/backchannel": {
      const token = new URLSearchParams(body).get("logout_token");
      const { payload } = await jwtVerify(token, keys, {
        issuer: config.serverMetadata().issuer, audience: settings.client_id, typ: "logout+jwt", algorithms: ["RS256"], requiredClaims: ["iat", "exp", "jti"],
      });
      if (!payload.events?.["http://schemas.openid.net/event/backchannel-logout"] || "nonce" in payload || !(payload.sid || payload.sub)) {
        return [400, {}, "not a logout token"];
      }
      for (const [key, { claims }] of sessions) {
        if (payload.sid ? claims.sid === payload.sid : claims.sub === payload.sub) {
          sessions.delete(key);
        }
      }
      return [200, { "Cache-Control": "no-store" }, ""];
    }
    default:
      return [404, {}, ""];
  }
}

createServer(async (request, response) => {
  let body = "";
  for await (const chunk of request) {
    body += chunk;
  }
  let answer;
  try {
    answer = await handle(request, body);
  } catch (error) {
    console.error(error);
    answer = [500, {}, String(error)];
  }
  response.writeHead(answer[0], answer[1]).end(answer[2]);
}).listen(Number(settings.address.split(":")[1]), settings.address.split(":")[0]);
