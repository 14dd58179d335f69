// Signs in with emailed codes.
import assert from "node:assert/strict";
import { advance, client, latestMail, refused, verify } from "./sdk.mjs";

const email = "ada@example.com";
const wrong = (code) => String((Number(code) + 1) % 1_000_000).padStart(6, "0");

const sent = await client.otps.email.loginOrCreate({ email, expiration_minutes: 10, create_user_as_pending: true });
assert.equal(sent.user_created, true);
assert.match(sent.email_id, /^email-test-/);
const { code } = await latestMail(email);
assert.match(code, /^\d{6}$/);

await refused(client.otps.authenticate({ method_id: sent.email_id, code: "12345" }), 400, "invalid_code");
await refused(client.otps.authenticate({ method_id: "x", code }), 400, "invalid_method_id");
await refused(client.otps.authenticate({ method_id: sent.email_id, code, session_duration_minutes: 0 }), 400, "invalid_session_duration_minutes");
await refused(client.otps.authenticate({ method_id: sent.email_id, code: wrong(code) }), 404, "otp_code_not_found");
await refused(client.otps.email.send({ email, expiration_minutes: 11 }), 400, "invalid_expiration_otp");
await refused(client.otps.email.send({ email: "bob@example.com" }), 404, "email_not_found");
await refused(client.otps.sms.send({ phone_number: "+15005550006" }), 404, "route_not_found");

const signedIn = await client.otps.authenticate({ method_id: sent.email_id, code, session_duration_minutes: 60 });
assert.equal(signedIn.user_id, sent.user_id);
assert.equal(signedIn.method_id, sent.email_id);
assert.equal(signedIn.user.status, "active");
assert.equal(signedIn.user.emails[0].verified, true);
const [factor] = signedIn.session.authentication_factors;
assert.deepEqual([factor.type, factor.delivery_method, factor.email_factor.email_address], ["otp", "email", email]);
assert.equal((await verify(signedIn.session_jwt)).session_id, signedIn.session.session_id);
await refused(client.otps.authenticate({ method_id: sent.email_id, code }), 401, "unable_to_auth_otp_code");

await client.otps.email.send({ email });
const late = await latestMail(email);
await advance(120);
await refused(client.otps.authenticate({ method_id: sent.email_id, code: late.code }), 401, "unable_to_auth_otp_code");

await client.otps.email.send({ email, session_token: signedIn.session_token });
const guessed = (await latestMail(email)).code;
for (let i = 0; i < 5; i++) {
  await refused(client.otps.authenticate({ method_id: sent.email_id, code: wrong(guessed) }), 404, "otp_code_not_found");
}
await refused(client.otps.authenticate({ method_id: sent.email_id, code: guessed }), 401, "unable_to_auth_otp_code");
