// The frame of a clip that shows its press: what the camera's clock is off by, and that somebody has seen it.
import { formatOffset, formatOffsetWithin } from "./format.js";
import { FrameForm } from "./frame-form.js";
import { t } from "./i18n.js";

class OknoCommission extends FrameForm {
  noun = "commission";
  field = "rights";
  most = 1000;
  example = "";

  result({ error_ms: error, offset_ms: offset, uncertainty_ms: unsure }) {
    return t("commission.done", { error: formatOffset(error, 2), offset: formatOffsetWithin(offset, unsure, 2) });
  }
}
customElements.define("okno-commission", OknoCommission);
