// Sets up an authenticator app and proves it. The codes come from RFC 6238 itself, not from
// the server's library.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { advance, client, latestMail, now, refused, verify } from "./sdk.mjs";

function decodeBase32(text) {
  const bits = [...text].map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0")).join("");
  return Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
}

function codeOf(secret, milliseconds) {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(milliseconds / 30_000)));
  const hash = createHmac("sha1", decodeBase32(secret)).update(counter).digest();
  const number = hash.readUInt32BE(hash[19] & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}

const email = "ada@example.com";
const sent = await client.otps.email.loginOrCreate({ email });
const { user_id, session_token } = await client.otps.authenticate({
  method_id: sent.email_id, code: (await latestMail(email)).code, session_duration_minutes: 60,
});

await refused(client.totps.authenticate({ user_id, totp_code: "123456" }), 404, "totps_not_found_for_user");
await refused(client.totps.create({ user_id, expiration_minutes: 4 }), 400, "invalid_expiration");
const replaced = await client.totps.create({ user_id });
const app = await client.totps.create({ user_id, expiration_minutes: 5 });
assert.notEqual(app.totp_id, replaced.totp_id);
assert.match(app.secret, /^[A-Z2-7]{32}$/);
assert.match(app.qr_code, /^data:image\/png;base64,/);
assert.equal(new Set(app.recovery_codes).size, 10);
assert.deepEqual(app.user.totps, [{ totp_id: app.totp_id, verified: false }]);

const code = codeOf(app.secret, now());
const proven = await client.totps.authenticate({ user_id, totp_code: code, session_token });
assert.equal(proven.totp_id, app.totp_id);
assert.equal(proven.session_token, session_token);
assert.deepEqual(proven.user.totps, [{ totp_id: app.totp_id, verified: true }]);
const factors = proven.session.authentication_factors;
assert.deepEqual(factors.map((factor) => [factor.type, factor.delivery_method]), [["otp", "email"], ["totp", "authenticator_app"]]);
assert.equal(factors[1].authenticator_app_factor.totp_id, app.totp_id);
assert.equal((await verify(proven.session_jwt)).authentication_factors.length, 2);
await refused(client.totps.authenticate({ user_id, totp_code: code }), 401, "totp_code_already_authenticated");
await refused(client.totps.create({ user_id }), 400, "active_totp_exists");

const recovered = await client.totps.recover({ user_id, recovery_code: app.recovery_codes[0], session_duration_minutes: 60 });
assert.equal(recovered.session.authentication_factors[0].type, "recovery_codes");
assert.match(recovered.session.authentication_factors[0].recovery_code_factor.totp_recovery_code_id, /^totp-recovery-code-test-/);
await refused(client.totps.recover({ user_id, recovery_code: app.recovery_codes[0] }), 401, "unable_to_authenticate_recovery_code");
await refused(client.totps.recover({ user_id, recovery_code: "x" }), 400, "invalid_recovery_code");
assert.deepEqual((await client.totps.recoveryCodes({ user_id })).totps, [{ totp_id: app.totp_id, verified: true, recovery_codes: [] }]);

const found = await client.users.search({ query: { operator: "AND", operands: [{ filter_name: "totp_id", filter_value: [app.totp_id] }] } });
assert.deepEqual(found.results.map((user) => user.user_id), [user_id]);

await advance(60);
const next = codeOf(app.secret, now());
const around = [-30, 0, 30].map((seconds) => codeOf(app.secret, now() + seconds * 1000));
const wrong = ["000000", "000001", "000002", "000003"].find((number) => !around.includes(number));
for (let i = 0; i < 4; i++) { // with the used one above, five in a row
  await refused(client.totps.authenticate({ user_id, totp_code: wrong }), 401, "unable_to_authenticate_totp");
}
await refused(client.totps.authenticate({ user_id, totp_code: next }), 429, "user_lock_limit_reached");
await advance(600);
await client.totps.authenticate({ user_id, totp_code: codeOf(app.secret, now()) });

assert.deepEqual((await client.users.deleteTOTP({ totp_id: app.totp_id })).user.totps, []);
await refused(client.users.deleteTOTP({ totp_id: app.totp_id }), 404, "totp_not_found");
