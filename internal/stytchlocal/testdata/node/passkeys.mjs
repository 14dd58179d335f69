// Registers and uses passkeys with an authenticator in software.
import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { advance, client, refused, verify } from "./sdk.mjs";

const domain = "guestlist.example";
const [present, verified, attested] = [1, 4, 64];

const sha256 = (bytes) => createHash("sha256").update(bytes).digest();
const decode = (text) => Buffer.from(text, "base64"); // of either alphabet

// cbor encodes what a passkey needs of CBOR: integers, texts, bytes and maps.
function cbor(value) {
  const head = (type, n) => Buffer.from(n < 24 ? [(type << 5) | n] : n < 256 ? [(type << 5) | 24, n] : [(type << 5) | 25, n >> 8, n & 255]);
  if (typeof value === "number") return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === "string") return Buffer.concat([head(3, value.length), Buffer.from(value)]);
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value]);
  return Buffer.concat([head(5, value.size), ...[...value].flat().map(cbor)]);
}

class Passkey {
  id = randomBytes(32);
  origin = `https://${domain}`;
  flags = present | verified;
  count = 0;
  keys = generateKeyPairSync("ec", { namedCurve: "P-256" });

  data(more) {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(this.count);
    return Buffer.concat([sha256(domain), Buffer.from([this.flags | more]), count]);
  }

  client(type, challenge) {
    return Buffer.from(JSON.stringify({ type, challenge: decode(challenge).toString("base64url"), origin: this.origin, crossOrigin: false }));
  }

  credential(response) {
    const id = this.id.toString("base64url");
    for (const [name, bytes] of Object.entries(response)) response[name] = bytes.toString("base64url");
    return JSON.stringify({ id, rawId: id, type: "public-key", clientExtensionResults: {}, response });
  }

  create(options) {
    const { challenge, user } = JSON.parse(options);
    this.user = decode(user.id);
    const { x, y } = this.keys.publicKey.export({ format: "jwk" });
    const key = cbor(new Map([[1, 2], [3, -7], [-1, 1], [-2, decode(x)], [-3, decode(y)]]));
    const authData = Buffer.concat([this.data(attested), Buffer.alloc(16), Buffer.from([0, this.id.length]), this.id, key]);
    const attestationObject = cbor(new Map([["fmt", "none"], ["attStmt", new Map()], ["authData", authData]]));
    return this.credential({ clientDataJSON: this.client("webauthn.create", challenge), attestationObject });
  }

  get(options) {
    const [authenticatorData, clientDataJSON] = [this.data(0), this.client("webauthn.get", JSON.parse(options).challenge)];
    const signature = sign("sha256", Buffer.concat([authenticatorData, sha256(clientDataJSON)]), this.keys.privateKey);
    return this.credential({ clientDataJSON, authenticatorData, signature, userHandle: this.user });
  }
}

const { user_id } = await client.users.create({ email: "ada@example.com" });
const startRegistration = async () => {
  const start = await client.webauthn.registerStart({ user_id, domain, return_passkey_credential_options: true, use_base64_url_encoding: true });
  assert.equal(start.user_id, user_id);
  return start.public_key_credential_creation_options;
};
const startUse = async (more = {}) => {
  const start = await client.webauthn.authenticateStart({ domain, return_passkey_credential_options: true, ...more });
  return start.public_key_credential_request_options;
};
const register = (passkey, options) => client.webauthn.register({ user_id, public_key_credential: passkey.create(options) });
const use = (public_key_credential) => client.webauthn.authenticate({ public_key_credential, session_duration_minutes: 60 });

await refused(client.webauthn.registerStart({ user_id, domain: "https://guestlist.example" }), 400, "invalid_domain");
await refused(client.webauthn.authenticateStart({ user_id, domain }), 404, "no_active_webauthn_registrations");

const passkey = new Passkey();
const creation = JSON.parse(await startRegistration());
assert.deepEqual([creation.rp.id, creation.user.name, creation.authenticatorSelection.residentKey], [domain, "ada@example.com", "required"]);
const registered = await register(passkey, await startRegistration());
const id = registered.webauthn_registration_id;
assert.deepEqual([registered.user_id, registered.user.webauthn_registrations[0].webauthn_registration_id], [user_id, id]);
assert.equal(registered.session, null);
await refused(register(passkey, await startRegistration()), 400, "duplicate_webauthn_registration");
assert.equal(JSON.parse(await startRegistration()).excludeCredentials[0].id, passkey.id.toString("base64url"));

const signedIn = await use(passkey.get(await startUse()));
assert.deepEqual([signedIn.user_id, signedIn.webauthn_registration_id], [user_id, id]);
const [factor] = signedIn.session.authentication_factors;
assert.deepEqual([factor.type, factor.delivery_method, factor.webauthn_factor.domain], ["webauthn", "webauthn_registration", domain]);
assert.equal((await verify(signedIn.session_jwt)).session_id, signedIn.session.session_id);

const refusedUse = (credential) => refused(use(credential), 401, "unable_to_auth_webauthn_registration");
await refused(use("{}"), 400, "invalid_public_key_credential");
const once = passkey.get(await startUse({ user_id }));
await use(once);
await refusedUse(once);
const late = passkey.get(await startUse());
await advance(300);
await refusedUse(late);
passkey.origin = "https://evil.example";
await refusedUse(passkey.get(await startUse()));
passkey.origin = `https://login.${domain}:8443`;
passkey.count = 8;
await use(passkey.get(await startUse()));
passkey.count = 7;
await refusedUse(passkey.get(await startUse()));
passkey.count = 9;
const other = new Passkey();
[other.id, other.user, other.count] = [passkey.id, passkey.user, 10];
await refusedUse(other.get(await startUse()));
await use(passkey.get(await startUse()));

await refused(client.webauthn.update({ webauthn_registration_id: id, name: "" }), 400, "empty_webauthn_registration_name");
const named = await client.webauthn.update({ webauthn_registration_id: id, name: "Phone" });
assert.equal(named.webauthn_registration.name, "Phone");
const { credentials } = await client.webauthn.listCredentials({ user_id, domain });
assert.deepEqual([credentials.length, credentials[0].credential_id, credentials[0].type], [1, passkey.id.toString("base64url"), "public-key"]);

const removed = await client.users.deleteWebAuthnRegistration({ webauthn_registration_id: id });
assert.deepEqual(removed.user.webauthn_registrations, []);
await refused(use(passkey.get(await startUse())), 404, "webauthn_registration_not_found");
