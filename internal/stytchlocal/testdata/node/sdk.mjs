// What the scripts share. Each is run with one argument, a JSON object: url, project_id,
// secret, public_token, dev_key and now, the server's time in milliseconds.
import assert from "node:assert/strict";
import stytch from "stytch";

export const site = JSON.parse(process.argv[2]);

console.warn = () => {}; // the SDK warns of every address but Stytch's

export const client = new stytch.Client({ project_id: site.project_id, secret: site.secret, env: `${site.url}/` });

// refused checks that a call fails with a status and an error type.
export async function refused(call, status, type) {
  await assert.rejects(call, (error) => {
    assert.ok(error instanceof stytch.StytchError, error);
    assert.deepEqual([error.status_code, error.error_type], [status, type]);
    assert.match(error.request_id, /^request-id-test-/);
    return true;
  });
}

async function dev(path, options = {}) {
  const answer = await fetch(site.url + path, { ...options, headers: { Authorization: `Bearer ${site.dev_key}` } });
  assert.ok(answer.ok, `${path}: ${answer.status}`);
  return answer.json();
}

// latestMail returns the newest email to an address.
export async function latestMail(address) {
  const { messages } = await dev("/dev/inbox.json");
  return messages.find((message) => message.to === address);
}

let offset = 0;

// advance moves the clock of the local Stytch.
export async function advance(seconds) {
  offset += seconds * 1000;
  await dev("/dev/faults.json", { method: "PUT", body: JSON.stringify({ clock_ms: offset }) });
}

// now returns the time of the local Stytch in milliseconds.
export const now = () => site.now + offset;

// verify checks a session JWT without a call, with the published keys.
export const verify = (jwt) => client.sessions.authenticateJwtLocal({ session_jwt: jwt, current_date: new Date(now()) });
