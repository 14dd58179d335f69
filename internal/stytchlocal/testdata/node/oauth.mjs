// Signs in by OAuth; the server plays the provider.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { advance, client, latestMail, refused, site, verify } from "./sdk.mjs";

const callback = "http://localhost:3000/authenticate";
const verifier = "a-verifier-of-the-least-length-there-can-be-0";
const challenge = createHash("sha256").update(verifier).digest("base64url");

// authorize goes through the provider's page and returns the token of the redirect.
async function authorize(provider, email, more = {}) {
  const query = new URLSearchParams({ public_token: site.public_token, login_redirect_url: callback, signup_redirect_url: callback, ...more });
  const start = await fetch(`${site.url}/v1/public/oauth/${provider}/start?${query}`, { redirect: "manual" });
  assert.equal(start.status, 302);
  const back = await fetch(new URL(start.headers.get("location"), site.url), {
    method: "POST",
    body: new URLSearchParams({ email, verified: "yes", action: "continue" }),
    headers: { Authorization: `Bearer ${site.dev_key}` },
    redirect: "manual",
  });
  assert.equal(back.status, 303);
  const to = new URL(back.headers.get("location"));
  assert.deepEqual([to.origin + to.pathname, to.searchParams.get("stytch_token_type")], [callback, "oauth"]);
  return to.searchParams.get("token");
}

const token = await authorize("google", "ada@example.com", { code_challenge: challenge });
await refused(client.oauth.authenticate({ token }), 400, "pkce_expected_code_verifier");
const signedIn = await client.oauth.authenticate({ token, code_verifier: verifier, session_duration_minutes: 60 });
assert.deepEqual([signedIn.provider_type, signedIn.user.emails[0].email, signedIn.user.emails[0].verified], ["Google", "ada@example.com", true]);
assert.equal(signedIn.user.providers[0].oauth_user_registration_id, signedIn.oauth_user_registration_id);
const [factor] = signedIn.user_session.authentication_factors;
assert.deepEqual([factor.type, factor.delivery_method, factor.google_oauth_factor.id], ["oauth", "oauth_google", signedIn.oauth_user_registration_id]);
assert.equal((await verify(signedIn.session_jwt)).session_id, signedIn.user_session.session_id);
await refused(client.oauth.authenticate({ token, code_verifier: verifier }), 404, "oauth_token_not_found");

// Kinds of tokens are not exchanged.
await client.magicLinks.email.loginOrCreate({ email: "ada@example.com", login_magic_link_url: callback, signup_magic_link_url: callback });
const link = new URL((await latestMail("ada@example.com")).links[0]).searchParams.get("token");
await refused(client.oauth.authenticate({ token: link }), 404, "oauth_token_not_found");
const other = await authorize("google", "ada@example.com");
await refused(client.magicLinks.authenticate({ token: other }), 404, "magic_link_not_found");
await client.magicLinks.authenticate({ token: link });
await client.oauth.authenticate({ token: other });

const { oauth_attach_token } = await client.oauth.attach({ provider: "github", session_token: signedIn.session_token });
const attached = await client.oauth.authenticate({ token: await authorize("github", "ada@other.example", { oauth_attach_token }) });
assert.equal(attached.user_id, signedIn.user_id);
assert.deepEqual(attached.user.providers.map((provider) => provider.provider_type).sort(), ["Github", "Google"]);
await refused(client.oauth.attach({ provider: "yahoo", user_id: signedIn.user_id }), 404, "oauth_config_not_found");

const late = await authorize("microsoft", "ada@example.com");
await advance(300);
await refused(client.oauth.authenticate({ token: late }), 404, "oauth_token_not_found");

const removed = await client.users.deleteOAuthRegistration({ oauth_user_registration_id: signedIn.oauth_user_registration_id });
assert.equal(removed.user.providers.length, 2);
