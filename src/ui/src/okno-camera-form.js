// One camera: a channel of an archive, at a site.
import { html, nothing } from "lit";
import { RowForm } from "./row-form.js";
import { t } from "./i18n.js";
import "./okno-archive-test.js";

class OknoCameraForm extends RowForm {
  static properties = { sites: { attribute: false }, archives: { attribute: false } };

  path = "cameras";

  begin(row) {
    return { ...row };
  }

  body() {
    const { camera, site, archive, channel, name, retention_days: days, overlay_trusted: trusted } = this.draft;
    return { camera, site, archive, channel, name: name ?? "", retention_days: days ? Number(days) : null, overlay_trusted: Boolean(trusted) };
  }

  render() {
    const fresh = !this.row.camera;
    return html`<form @submit=${this.save} @keydown=${this.hush} aria-label=${t(fresh ? "cameras.add" : "cameras.edit")}>
      <h3>${fresh ? t("cameras.add") : this.row.camera}</h3>
      ${fresh ? this.renderText("camera", { required: true, hint: "till-1" }) : nothing}
      ${this.renderChoice("site", this.sites.map(({ site }) => site))}${this.renderChoice("archive", this.archives)}
      ${this.renderText("channel", { required: true, hint: "cam1", most: 200 })}${this.renderText("name", { most: 200 })}
      ${this.renderText("retention_days", { type: "number", most: 5 })}
      <label class="tick"><input type="checkbox" name="overlay_trusted" .checked=${Boolean(this.draft.overlay_trusted)} @change=${(event) => this.set("overlay_trusted", event.target.checked)}>${t("row.overlay_trusted")}</label>
      ${this.renderEnd(html`<okno-archive-test .body=${() => ({ archive: this.draft.archive })} .channel=${this.draft.channel}></okno-archive-test>`)}
    </form>`;
  }
}
customElements.define("okno-camera-form", OknoCameraForm);
export const newCamera = (sites, archives) => ({ camera: "", site: sites[0]?.site ?? "", archive: archives[0] ?? "", channel: "", name: "", retention_days: null, overlay_trusted: false });
