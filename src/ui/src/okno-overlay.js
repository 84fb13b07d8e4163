// What the clock in the picture shows at the frame in view: it may differ from the recorder's index by minutes.
import { formatOffsetWithin } from "./format.js";
import { FrameForm } from "./frame-form.js";
import { t } from "./i18n.js";

class OknoOverlay extends FrameForm {
  noun = "overlay";
  field = "shows";
  most = 40;
  example = "2026-03-10 12:03:07";

  result({ overlay_minus_index_ms: offset, uncertainty_ms: unsure }) {
    return t("overlay.done", { offset: formatOffsetWithin(offset, unsure) });
  }
}
customElements.define("okno-overlay", OknoOverlay);
