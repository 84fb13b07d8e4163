// One archive, to be added or changed: its kind, and only what that kind asks for.
import { html, nothing } from "lit";
import { RowForm } from "./row-form.js";
import { has, t } from "./i18n.js";
import "./okno-archive-test.js";

const urls = { dir: "https://nvr.example/video/", hls: "https://nvr.example/live", rtsp: "rtsp://nvr.example:554", onvif: "http://nvr.example", zoneminder: "http://nvr.example/zm" };
// Kinds that say with `files` what lies below the address.
const files = { dir: "{channel}/%Y-%m-%d/%H-%M-%S.mp4", hls: "{channel}/index.m3u8", rtsp: "/play?channel={channel}&start={from}", profile: "/etc/okno/nvr.json" };
const common = ["tls", "ca", "pin", "allow", "parallel", "rate", "hours", "clock", "clock_at"];
const choices = {
  tls: ["insecure"], clock: ["sntp", "http", "onvif", "none"], layout: ["mediamtx", "frigate", "motion", "shinobi", "segment"],
  listing: ["json", "html", "webdav"], starttls: ["yes"], style: ["path", "virtual"], zone: ["table"], download: ["file"],
};
// What a folder is asked by depends on where it lies.
const places = { listing: /^https?:/u, endpoint: /^s3:/u, region: /^s3:/u, style: /^s3:/u, hostkey: /^sftp:/u, known_hosts: /^sftp:/u, key_file: /^sftp:/u, starttls: /^ftp:/u };

export const newArchive = () => ({ archive: "", kind: "dir", url: "", files: "", time_zone: "UTC", user: "", secret: "", options: "" });

class OknoArchiveForm extends RowForm {
  static properties = { kinds: { attribute: false }, channel: {} };

  path = "archives";

  begin(row) {
    const options = Object.fromEntries(row.options.split(" ").filter(Boolean).map((word) => {
      const [, name, value] = /^([^=]*)=?(.*)$/u.exec(word);
      return [`option_${name}`, value];
    }));
    return { ...row, ...options, channel: this.channel ?? "" };
  }

  /** Names of the options of the kind that was chosen; of a folder, those of its place. */
  get options() {
    const { options = "" } = this.kinds.find(({ kind }) => kind === this.draft.kind) ?? {};
    return options.split(", ").filter((name) => !places[name] || places[name].test(this.draft.url));
  }

  body() {
    const { archive, kind, url, time_zone: zone, user, secret } = this.draft;
    const options = this.options.filter((name) => this.draft[`option_${name}`]).map((name) => `${name}=${this.draft[`option_${name}`]}`).join(" ");
    return { archive, kind, url, files: kind in files ? this.draft.files : "", time_zone: zone, user, secret, options };
  }

  renderOption(name) {
    const key = `option.${name}`;
    const label = html`${has(key) ? t(key) : name} (${name})`;
    const set = name === "times" && this.draft.kind !== "rtsp" ? ["local", "utc"] : choices[name];
    return set ? this.renderChoice(`option_${name}`, ["", ...set], label) : this.renderText(`option_${name}`, { label, most: 500 });
  }

  render() {
    const { kind } = this.draft;
    const fresh = !this.row.archive;
    const own = this.options.filter((name) => !common.includes(name));
    const wants = kind in files && !(kind === "dir" && this.draft.option_layout);
    return html`<form @submit=${this.save} @keydown=${this.hush} aria-label=${t(fresh ? "archives.add" : "archives.edit")}>
      <h3>${fresh ? t("archives.add") : this.row.archive}</h3>
      ${fresh ? this.renderText("archive", { required: true, hint: "nvr" }) : nothing}
      ${this.renderChoice("kind", this.kinds.map((one) => one.kind))}
      ${this.renderText("url", { required: true, hint: urls[kind] ?? "http://nvr.example", most: 1000, wide: true })}
      ${kind in files ? this.renderText("files", { label: t(`row.files_${kind}`), required: wants, hint: files[kind], most: 1000, wide: true }) : nothing}
      ${this.renderText("time_zone", { hint: "Europe/Moscow" })}${this.renderText("user", { most: 200 })}${this.renderText("secret", { hint: "nvr-password" })}
      <p class="note">${t("row.secret_how")}</p>
      ${own.length > 0 ? html`<div class="options">${own.map((name) => this.renderOption(name))}</div>` : nothing}
      <details ?open=${common.some((name) => this.row.options.includes(`${name}=`))}><summary>${t("row.more")}</summary><div class="options">${common.map((name) => this.renderOption(name))}</div></details>
      ${this.renderText("channel", { label: t("row.channel_try"), hint: "cam1", most: 200 })}
      ${this.renderEnd(html`<okno-archive-test .body=${() => ({ ...this.body(), archive: this.draft.archive || "new" })} .channel=${this.draft.channel}></okno-archive-test>`)}
    </form>`;
  }
}
customElements.define("okno-archive-form", OknoArchiveForm);
