// Who vouches for an audit: the auditor's signature, the checkpoint that pins the frame, and what
// others say about the log.
import { css, html, nothing } from "lit";
import { PageElement } from "./page-element.js";
import { get, post } from "./api.js";
import { errorText } from "./errors.js";
import { t } from "./i18n.js";
import { formatWhen } from "./time.js";

class OknoProof extends PageElement {
  static properties = { signs: { type: Boolean }, issued: { type: Boolean }, zone: {}, proof: { state: true }, refusal: { state: true } };

  static styles = [PageElement.styles, css`
    article { padding: 1rem; display: grid; grid-template-columns: minmax(0, 1fr); gap: .75rem; }
    .links { display: flex; gap: 1rem; flex-wrap: wrap; align-items: center; }
    dl { display: grid; grid-template-columns: auto 1fr; gap: .25rem 1rem; }
    dt { color: var(--muted); } dd { overflow-wrap: anywhere; }
    ul { display: grid; gap: .25rem; list-style: none; padding: 0; }
    pre { overflow-x: auto; margin: 0; font-size: .75rem; }
    .small { font-size: .75rem; color: var(--muted); overflow-wrap: anywhere; }
    .warn { color: var(--amber); }
    .refusal { color: var(--invalid); }
    @media (max-width: 40rem) { dl { grid-template-columns: minmax(0, 1fr); } }
  `];

  get place() {
    return `audits/${encodeURIComponent(this.id)}`;
  }

  async load() {
    const proof = await get(`${this.place}/proof`);
    return () => { this.proof = proof; };
  }

  /** Runs what an auditor does; what the service refuses is shown in its own words. */
  async attempt(work) {
    this.refusal = "";
    try {
      await work();
    } catch (error) {
      if (error.status === undefined) throw error;
      this.refusal = errorText(error);
    }
  }

  manifest() {
    return this.attempt(async () => {
      const { manifest } = await post(`${this.place}/manifest`);
      const anchor = Object.assign(document.createElement("a"), { href: URL.createObjectURL(new Blob([manifest])), download: `${this.id}.manifest` });
      anchor.click();
      URL.revokeObjectURL(anchor.href);
      await this.reload();
    });
  }

  take(input) {
    const [file] = input.files;
    input.value = "";
    if (!file) return undefined;
    return this.attempt(async () => { 
      this.proof = await post(`${this.place}/signature`, { signature: await file.text() });
      this.emit("audit-stepped");
    });
  }

  signatureText({ fingerprint, signature, current }) {
    if (!fingerprint) return t("proof.nobody");
    if (!signature) return t("proof.unsigned");
    return t(current ? "proof.signed" : "proof.outdated", { when: formatWhen(signature.at, this.zone) });
  }

  /** The command that signs with a key of that kind, and the file that it leaves. */
  signingCommand(kind) {
    return kind === "ssh" ? `ssh-keygen -Y sign -f KEY -n okno-audit ${this.id}.manifest` : `minisign -S -s KEY -m ${this.id}.manifest`;
  }

  /** What is signed is there from the first edition on. */
  renderSigning({ signature }) {
    if (!this.signs || !this.issued || !signature.fingerprint || signature.revoked) return nothing;
    return html`${signature.current ? nothing : html`<p>${t("proof.sign_how")}</p><pre>${this.signingCommand(signature.key_kind)}</pre>`}<div class="links">
      <button @click=${() => this.manifest()}>${t("proof.manifest")}</button>
      <label>${t("proof.take")} <input type="file" @change=${(event) => this.take(event.target)}></label></div>`;
  }

  renderAnchors({ anchors }) {
    if (anchors.length === 0) return html`<p>${t("proof.no_anchors")}</p>`;
    return html`<ul class="num">${anchors.map((one) => html`<li>${t(`proof.${one.kind}`, { name: one.name })} · ${formatWhen(one.anchored_at, this.zone)} · ${t("proof.entries", { n: one.size })}
      ${one.frame_of ? html`<span class="small">${t("proof.frame_of", { audit: one.frame_of })}</span>` : nothing}
      ${one.ahead ? html`<span class="small warn">${t("proof.ahead", { when: formatWhen(one.taken_at, this.zone) })}</span>` : nothing}</li>`)}</ul>`;
  }

  render() {
    if (this.problem) return this.renderProblem();
    if (!this.proof) return nothing;
    const { signature, checkpoint, log_key: key } = this.proof;
    return html`
      <article class="card">
        <h2>${t("proof.title")}</h2>
        <dl>
          <dt>${t("proof.auditor")}</dt><dd>${this.signatureText(signature)}${signature.fingerprint ? html`<div class="small">SHA-256 ${signature.fingerprint}</div>` : nothing}</dd>
          <dt>${t("proof.log_key")}</dt><dd class="small">${key}</dd>
        </dl>
        ${this.renderSigning(this.proof)}
        ${this.refusal ? html`<p class="refusal" role="alert">${this.refusal}</p>` : nothing}
        <h3>${t("proof.anchors")}</h3>
        ${this.renderAnchors(this.proof)}
        ${checkpoint ? html`<details><summary>${t("proof.checkpoint")}</summary><pre>${checkpoint}</pre></details>` : nothing}
      </article>`;
  }
}

customElements.define("okno-proof", OknoProof);
