// A form with data-passkey="get" has a passkey used, and one with data-passkey="create" has one made,
// before it is sent: the field "credential" gets the result. The options come from the address in
// data-options, which is asked by POST. The form is hidden without this script or passkeys in the
// browser. A field with autocomplete="… webauthn" on the page offers passkeys while it is filled in.

/** How long options are used. The server takes them for five minutes. */
const lifetime = 4.5 * 60 * 1000;

/** What users read if a request of the browser or the server failed, by its name or status. */
const problems = {
  NotAllowedError: "That was cancelled or took too long. Try again.",
  InvalidStateError: "This device already has a passkey for your account.",
  SecurityError: "Passkeys don’t work at this address.",
  offline: "We couldn’t reach the server. Check your connection and try again.",
  429: "Too many attempts. Wait a moment, then try again.",
  503: "Passkeys are unavailable right now. Try again in a minute.",
};

/** Statuses after which the form is sent without a passkey: its answer says what to do. 0 is a redirect. */
const explained = [0, 403, 409];

/** A response of the server other than options, by its status, or none. */
class Refusal extends Error {
  constructor(name) {
    super(`no options: ${name}`);
    this.name = name;
  }
}

class PasskeyForm {
  constructor(form) {
    this.form = form;
    this.problem = form.querySelector(".error");
    this.options = null;
    this.fetchedAt = 0;
    this.request = new AbortController();
    this.busy = false;
    this.asking = 0;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.run();
    });
    form.hidden = false;
    form.closest("[hidden]")?.removeAttribute("hidden");
    if (!this.problem.hidden) form.querySelector("button").focus(); // which reads it out
  }

  /** Has the browser use or make a passkey, and sends it. */
  async run() {
    if (this.busy) return;
    this.busy = true;
    this.problem.hidden = true;
    try {
      this.send(await this.ask());
    } catch (error) {
      if (explained.includes(error.name)) this.send(null);
      else this.show(error);
      this.busy = false;
      this.autofill();
    }
  }

  show(error) {
    this.problem.textContent = problems[error.name] ?? "That didn’t work in this browser. Try again.";
    this.problem.hidden = false;
  }

  send(credential) {
    this.form.elements.credential.value = credential ? JSON.stringify(credential) : "";
    this.form.submit();
  }

  /** Returns the credential. If the user took longer than the options work, asks them once more. */
  async ask(mediation) {
    this.request.abort();
    this.request = new AbortController();
    const { signal } = this.request;
    for (let again = true; ; again = false) {
      if (this.isStale()) await this.fetchOptions(signal);
      const credential = await this.call({ signal, mediation });
      if (!this.isStale() || !again) return credential;
    }
  }

  isStale() {
    return Date.now() - this.fetchedAt > lifetime;
  }

  async fetchOptions(signal) {
    const response = await fetch(this.form.dataset.options, { method: "POST", redirect: "manual", signal }).catch(() => null);
    if (!response?.ok) throw new Refusal(response?.status ?? "offline");
    this.options = await response.json();
    this.fetchedAt = Date.now();
  }

  call(request) {
    if (this.form.dataset.passkey === "create") {
      const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(this.options);
      return navigator.credentials.create({ publicKey, signal: request.signal });
    }
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(this.options);
    return navigator.credentials.get({ publicKey, ...request });
  }

  /** Offers passkeys in the field for it, until one is chosen. */
  async autofill() {
    if (!this.field || this.busy || document.hidden) return;
    try {
      this.asking++;
      const credential = await this.ask("conditional");
      this.busy = true;
      this.send(credential);
    } catch {
      // Replaced by another request, or not available now: the button says why.
    } finally {
      this.asking--;
    }
  }

  /** Begins to offer passkeys in a field, and renews the options before they expire. */
  async offerIn(field) {
    if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
    this.field = field;
    const renew = () => this.isStale() && this.autofill();
    field.addEventListener("focus", () => this.asking || this.autofill());
    setInterval(renew, lifetime / 9);
    document.addEventListener("visibilitychange", renew);
    renew();
  }
}

const supported = window.PublicKeyCredential?.parseRequestOptionsFromJSON !== undefined;
for (const form of supported ? document.querySelectorAll("[data-passkey]") : []) {
  const passkey = new PasskeyForm(form);
  const field = document.querySelector("[autocomplete~=webauthn]");
  if (field && form.dataset.passkey === "get") passkey.offerIn(field);
}
for (const element of document.querySelectorAll("[data-no-passkeys]")) element.hidden = supported;

// The browser forgets a passkey that was removed, so that it is no longer offered.
const gone = document.querySelector("[data-gone-passkey]")?.dataset.gonePasskey;
if (gone && supported) {
  PublicKeyCredential.signalUnknownCredential?.({ rpId: location.hostname, credentialId: gone }).catch(() => {});
}
