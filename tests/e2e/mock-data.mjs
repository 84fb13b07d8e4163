// What the mock service tells: two sites, one audit, a queue with every kind of item.
import { clipBegins, clipSeconds } from "./scene.mjs";

const iso = (ms) => new Date(ms).toISOString();

export const users = {
  expert: { user: "expert", name: "Anna Sokolova", role: "expert", language: "en" },
  manager: { user: "manager", name: "Pavel Orlov", role: "manager", language: "en" },
  anna: { user: "anna", name: "", role: "staff", language: "en" },
  admin: { user: "admin", name: "Irina Belova", role: "administrator", language: "en" },
};
export const password = "correct horse battery";

const reason = (id, key, en, ru, more = {}) => ({ id, key, en, ru, ...more });
export const reasons = {
  version: 1,
  invalid: [
    reason("NO_CUSTOMER", "1", "No customer at the point", "Клиента у точки нет"),
    reason("STAFF_PRESSED", "2", "Staff pressed the panel", "Кнопку панели нажал сотрудник"),
    reason("BYSTANDER_PRESSED", "3", "A bystander pressed", "Нажал посторонний"),
    reason("REPEAT_SAME_CUSTOMER", "4", "Same customer asked again", "Повторный опрос того же клиента"),
    reason("PRESS_BEFORE_SERVICE_END", "5", "Asked before the service ended", "Опрос до конца обслуживания"),
    reason("NOT_SERVED_PERSON", "6", "The person was not served", "Человека не обслуживали"),
    reason("COACHED", "7", "Staff told the customer what to press", "Клиенту подсказали, что нажать"),
    reason("OBSTRUCTED_PANEL", "8", "Panel covered or out of reach", "Панель закрыта или недоступна"),
    reason("ACCIDENTAL", "9", "Pressed by accident", "Случайное нажатие"),
    reason("CHILD_PLAY", "c", "A child was playing", "Играл ребёнок"),
    reason("CUSTOMER_LEFT_EARLY", "e", "Customer left before the question", "Клиент ушёл до вопроса"),
    reason("TEST_PRESS", "t", "Test press", "Проверка оборудования"),
    reason("OTHER", "0", "Other (write what)", "Другое (напишите, что именно)", { needs_text: true }),
  ],
  undeterminable: [
    reason("NO_CAMERA", "1", "No camera sees the point", "Точку не видит ни одна камера"),
    reason("NO_RECORDING", "2", "Nothing recorded", "Записи нет"),
    reason("EXPIRED", "3", "Recording already erased", "Запись уже стёрта"),
    reason("VIEW_BLOCKED", "4", "View blocked", "Обзор закрыт"),
    reason("TOO_DARK", "5", "Too dark or blurred", "Слишком темно или нерезко"),
    reason("WRONG_TIME", "6", "Video shows another moment", "На видео другое время"),
    reason("PARTIAL", "7", "Important part missing", "Нет важной части записи"),
    reason("OTHER", "0", "Other (write what)", "Другое (напишите, что именно)", { needs_text: true }),
  ],
  checklist: [
    { id: "customer_present", en: "Customer present when the seller pressed", ru: "Клиент был на месте, когда продавец нажал кнопку" },
    { id: "service_ended", en: "Service had ended", ru: "Обслуживание закончилось" },
    { id: "customer_pressed", en: "The customer pressed, not staff or a bystander", ru: "Нажал клиент, а не сотрудник или посторонний" },
    { id: "one_survey", en: "One survey for this customer", ru: "Один опрос на этого клиента" },
    { id: "free_choice", en: "Free choice", ru: "Выбор был свободным" },
    { id: "panel_reachable", en: "Panel within reach", ru: "Панель была доступна" },
    { id: "silent_still_there", en: "Silent: customer was still there", ru: "Молчун: клиент ещё был на месте" },
    { id: "fm_visible", en: "Force majeure: the circumstance is visible", ru: "Форс-мажор: обстоятельство видно" },
  ],
};

export const sites = {
  sites: [
    { site: "S1", name: "Riverside Mall", time_zone: "Europe/Moscow", points: [{ point: "S1-T1", name: "Till 1" }, { point: "S1-T2", name: "Till 2" }] },
    { site: "S2", name: "North Branch", time_zone: "Asia/Yekaterinburg", points: [{ point: "S2-D1", name: "Desk 1" }] },
  ],
};

const device = (name, more) => ({
  device: name, point: null, state: "ok", alerts: [], last_event_at: "2026-03-10T11:17:14.400Z", last_arrival_at: "2026-03-10T11:17:15.000Z",
  offset_ms: 0, uncertainty_ms: 10000, measured_at: null, missing: 0, first_missing: null, unheard_since: null, ...more,
});

export const devices = {
  devices: [
    device("D1", { point: "S1-T1", offset_ms: -1840, uncertainty_ms: 2100, measured_at: "2026-03-10T08:00:00.000Z" }),
    device("D2", { point: "S1-T2", state: "quiet", alerts: ["quiet"], unheard_since: "2026-03-07T18:00:00.000Z", missing: 3, first_missing: "D2.0.41" }),
    device("D3", { point: "S2-D1", state: "clock_suspect", alerts: ["clock_suspect", "quiet"], last_event_at: null, last_arrival_at: null, unheard_since: "2026-03-01T00:00:00.000Z" }),
    device("D5", { last_event_at: null, last_arrival_at: null }), // invited, and never came
    device("D4", { state: "clock_jump", alerts: ["clock_jump"], offset_ms: 3600000, uncertainty_ms: 2000, measured_at: "2026-03-10T09:00:00.000Z" }),
  ],
};

/** A frame that a witness saw; nobody signed yet. */
export const proof = {
  log_key: "okno.log/0123456789abcdef+01234567+AQAA",
  signature: { fingerprint: "a".repeat(64), key: "RWQ", key_kind: "minisign", revoked: false, manifest: null, signature: null, current: false },
  anchors: [{ kind: "witness", name: "witness.example", size: 3, root: "b".repeat(64), anchored_at: "2026-03-10T08:00:00.000Z", taken_at: "2026-03-10T08:01:00.000Z", ahead: false, sha256: "c".repeat(64), entry: 4, frame_of: "march" }],
  checkpoint: "okno.log/0123456789abcdef\n3\nAAAA\n\n— okno.log/0123456789abcdef AAAA\n",
  checkpoint_qr: null,
};

export function audits(reviewed) {
  const step = (name, at, author, detail) => ({ step: name, at, author, detail });
  return [{
    audit: "A-2026-03", title: "Quality audit, March", state: "review",
    period_from: "2026-02-28T21:00:00.000Z", period_to: "2026-03-31T21:00:00.000Z", frame_size: 2431,
    frame_sha256: "9f2c4be01d7c5a0a5a1e9e5a72cfa0a3f6e1f0b7e2a9f5d38b3b7a41c0d5e6f7",
    seed: "01382438112797316654", sample: 120, reviewed, valid: 27, invalid: 7, undeterminable: 2,
    steps: [
      step("plan", "2026-04-01T06:10:00.000Z", "i.belova", "120 of 2,431 surveys, level 95 %, k 0.5"),
      step("freeze", "2026-04-01T06:12:30.000Z", "i.belova", "9f2c4be01d7c5a0a5a1e9e5a72cfa0a3f6e1f0b7e2a9f5d38b3b7a41c0d5e6f7"),
      step("checkpoint", "2026-04-01T06:12:31.000Z", "i.belova", "41 · 7Qm0k1o2cX4Yt3nq2b1n8yF0cJmPp1uS1Jm8T7c0b9E="),
      step("seed", "2026-04-01T09:00:00.000Z", "p.orlov", "20 dice, witnesses: A. Sokolova, D. Kim"),
      step("draw", "2026-04-01T09:00:12.000Z", "i.belova", "120 drawn, reserve 240"),
    ],
  }];
}

const press = clipBegins + 22400;

/** Item number n of the queue; each kind of picture and survey comes by. */
export function item(n, scene, progress, canUndo) {
  const url = (file, ending) => ({ url: `/api/v1/evidence/${file.sha256}.${ending}`, sha256: file.sha256 });
  const kind = ["answered", "silent", "force_majeure", "still", "nothing"][n % 5];
  const still = (index, at) => ({ ...url(scene.stills[index], "jpg"), frame_at: iso(at) });
  const clip = {
    ...url(scene.clip, "mp4"), media_type: "video/mp4", got_from: iso(clipBegins), got_to: iso(clipBegins + clipSeconds * 1000),
    view_offset_ms: 9000, asked_from: iso(press - 20200), asked_to: iso(press + 19800),
    gaps: kind === "force_majeure" ? [[iso(clipBegins + 38000), iso(clipBegins + 41000)]] : [], codec: "h264",
  };
  const linked = { state: "linked", camera: "C3", camera_name: "3", uncertainty_ms: 210, flags: [], message: "" };
  return {
    item: n, lease: `lease-${n}-${Math.random().toString(36).slice(2)}`, lease_until: iso(Date.now() + 300000),
    audit: "A-2026-03", audit_title: "Quality audit, March", origin: "random", place: String(n), progress,
    survey: {
      id: `D1.0.${1000 + n}`, opened_at: iso(press), closes_at: iso(press + 15000),
      answered_at: kind === "silent" ? null : iso(press + 4700), site: "S1", site_name: "Riverside Mall", point: "S1-T2",
      point_name: "Till 2", time_zone: "Europe/Moscow", question: "Were you served politely?", question_kind: "personnel",
      force_majeure: kind === "force_majeure",
    },
    video: kind === "nothing"
      ? { state: "no_recording", camera: "C3", camera_name: "3", uncertainty_ms: 210, flags: [], message: "archive main: no files between 14:02 and 14:09" }
      : kind === "force_majeure" ? { ...linked, state: "partial", uncertainty_ms: 7400, flags: ["time_uncertain"] } : linked,
    clip: kind === "still" || kind === "nothing" ? null : clip,
    still: kind === "nothing" ? null : still(1, kind === "silent" ? press + 15000 : press + 4700),
    neighbours: [
      { place: "before", opened_at: iso(press - 354000), still: still(2, press - 350000) },
      { place: "before", opened_at: iso(press - 254000), still: still(1, press - 250000) },
      { place: "before", opened_at: iso(press - 154000), still: still(0, press - 150000) },
      { place: "after", opened_at: iso(press + 98000), still: still(2, press + 101000) },
    ],
    can_undo: canUndo,
  };
}

const round = (value) => Number(value.toFixed(9));

function index(raw, excluded, estimated, half, floor) {
  const level = 0.95;
  return {
    raw, excluded, band: floor < 0 ? [round(excluded + 0.09), round(excluded - 0.09)] : [round(Math.max(floor, excluded - 0.09)), round(excluded + 0.09)],
    estimated: estimated === null ? null
      : { value: estimated, low: round(estimated - half), high: round(estimated + half), se: round(half / 1.96), level, band: [round(estimated - 0.1), round(estimated + 0.1)], bounds: {}, frame: 2431, reviewed: 36 },
    estimated_null_reason: estimated === null ? "no_audit" : null, with_fm: round(excluded + 0.004),
    counts: {}, null_reason: null, flags: [],
  };
}

const plain = (value, nullReason = null, flags = []) =>
  ({ raw: value, excluded: value, band: null, estimated: null, counts: { n: 0 }, null_reason: nullReason, estimated_null_reason: "not_estimated", flags });

function group(of, counts, shift, sampled) {
  return {
    group: of, k: 0.5, counts, fm_gate: shift > 0.03 ? "not_advisable" : "evaluable",
    excluded: { STAFF_PRESSED: 4, NO_CUSTOMER: 2, REPEAT_SAME_CUSTOMER: 1, VOIDED: 3 },
    indicators: {
      ink_personnel: index(0.18 + shift, 0.184 + shift, sampled ? 0.226 + shift : null, 0.031, 0),
      ink_office: index(0.11 + shift, 0.112 + shift, sampled ? 0.131 + shift : null, 0.042, 0),
      iel: index(0.43 - shift, 0.424 - shift, sampled ? 0.377 - shift : null, 0.055, -1),
      response_rate: plain(0.81), silent_share: plain(0.19 + shift), late_share: plain(0.012), superseded_share: plain(0.03),
      exact_conversion: plain(0.742), visitor_coverage: plain(shift > 0.03 ? null : 0.381, shift > 0.03 ? "no_visitors" : null),
      fm_level: plain(0.021, null, ["evaluable"]), support_index: plain(null, "no_served_count"), criticality_index: plain(null, "no_served_count"),
    },
  };
}

export function indicators(query) {
  const by = (query.get("by") ?? "").split(",").filter(Boolean);
  const counts = (n) => ({ yes: Math.round(n * 0.62), no: Math.round(n * 0.11), unsure: Math.round(n * 0.08), silent: Math.round(n * 0.19), n, fm: 9, undeterminable: 2 });
  const rows = {
    "": [[{}, 2431, 0, true]],
    site: [[{ site: "S1" }, 1650, -0.012, true], [{ site: "S2" }, 781, 0.034, true]],
    point: [[{ point: "S1-T1" }, 801, -0.02, true], [{ point: "S1-T2" }, 849, 0.005, true], [{ point: "S2-D1" }, 781, 0.034, false]],
    employee: [[{ employee: "E-104" }, 502, -0.03, true], [{ employee: "E-117" }, 411, 0.06, true], [{ employee: null }, 38, 0, false]],
    day: [[{ day: "2026-03-10" }, 88, 0.01, true], [{ day: "2026-03-11" }, 92, -0.02, true], [{ day: "2026-03-12" }, 79, 0.04, false]],
    question: [[{ question: "Q1" }, 2431, 0, true]],
  }[by.at(-1) ?? ""] ?? [];
  const siteOf = (of) => of.site ?? of.point?.slice(0, 2) ?? "S1";
  const wanted = rows.map(([of, ...rest]) => [by[0] === "site" ? { site: siteOf(of), ...of } : of, ...rest]);
  return {
    from: query.get("from"), to: query.get("to"), k: Number(query.get("k") ?? 0.5), by, audit: query.get("audit"), at: "2026-04-02T08:00:00.000Z",
    names: { employee: { "E-104": "Anna Sokolova" }, question: { Q1: "How did {employee} serve you?" } },
    breaks: [{ at: "2026-03-12T06:00:00.000Z", site: "S1", point: "S1-T1", what: "window", was: "15", became: "20" },
      { at: "2026-03-13T06:00:00.000Z", site: null, point: null, what: "k", was: "0.5", became: "0.4" }],
    comparison: query.get("compare") ? { against: query.get("compare"), compared: 6, level: 0.95, method: "Holm" } : null,
    groups: wanted.map(([of, n, shift, sampled]) => group(of, counts(n), shift, sampled && Boolean(query.get("audit")))),
  };
}

const verdicts = ["valid", "unreviewed", "invalid", "unreviewed", "undeterminable", "valid", "unreviewed"];
const answers = ["yes", "yes", "no", null, "unsure", "yes", null, "yes"];

export function surveys(scene) {
  return Array.from({ length: 60 }, (_, n) => {
    const opened = press + n * 417000;
    const validity = verdicts[n % verdicts.length];
    const answer = answers[n % answers.length];
    const video = n % 11 === 7 ? "no_recording" : n % 13 === 5 ? "partial" : "linked";
    const still = scene.stills[n % scene.stills.length];
    return {
      id: `D1.0.${1000 + n}`, point: n % 3 ? "S1-T2" : "S1-T1", site: "S1", employee: n % 9 === 4 ? null : n % 2 ? "E-104" : "E-117",
      question: "Q1", kind: "personnel", channel: "panel", opened_at: iso(opened), closes_at: iso(opened + 15000),
      state: answer ? "answered" : "silent", answer, answered_at: answer ? iso(opened + 4700) : null, extra_answers: n % 10 === 3 ? 1 : 0,
      late_answers: 0, force_majeure: n % 17 === 6, flags: n % 10 === 3 ? ["duplicate_press"] : [], video, validity,
      reason: validity === "invalid" ? (n % 2 ? "NO_CUSTOMER" : "STAFF_PRESSED") : validity === "undeterminable" ? "VIEW_BLOCKED" : null,
      still: video === "no_recording" ? null : { url: `/api/v1/evidence/${still.sha256}.jpg`, frame_at: iso(opened + 4700) },
    };
  });
}

export function dossier(survey, scene) {
  const opened = Date.parse(survey.opened_at);
  const begins = opened - 22400;
  const event = (seq, kind, at) => ({ device: "D1", boot: 0, seq, kind, channel: "panel", time: iso(at), offset_ms: -120, uncertainty_ms: 24 });
  const events = [event(Number(survey.id.split(".")[2]), "press", opened)];
  if (survey.answer) events.push(event(Number(survey.id.split(".")[2]) + 1, survey.answer, opened + 4700));
  const clip = {
    kind: "clip", url: `/api/v1/evidence/${scene.clip.sha256}.mp4`, sha256: scene.clip.sha256, bytes: scene.clip.data.length, codec: "h264",
    got_from: iso(begins), got_to: iso(begins + clipSeconds * 1000), asked_from: iso(begins + 2000), asked_to: iso(begins + 42000), gaps: [],
  };
  const still = survey.still && { kind: "still", ...survey.still, sha256: survey.still.url.slice(17, 81), bytes: scene.stills[0].data.length };
  return {
    survey, events, link: { state: survey.video, camera: "C3", camera_name: "3", uncertainty_ms: 210, offset_ms: -120 },
    evidence: survey.video === "no_recording" ? [] : [clip, still],
    reviews: survey.validity === "unreviewed" ? [] : [{
      verdict: survey.validity, reason: survey.reason, comment: survey.reason ? "The till is closed, nobody stands there." : "",
      user: "a.sokolova", at: "2026-04-01T10:20:00.000Z", played_s: 17.4, active_s: 19.1, wall_s: 21, origin: "random",
    }],
    voids: [
      { voided: true, at: "2026-03-11T09:00:00.000Z", author: "admin", second: "i.belova", reason: "The file of another shop", import: 17 },
      { voided: false, at: "2026-03-11T10:00:00.000Z", author: "i.belova", second: "admin", reason: "It was ours", import: null },
    ],
    names: [
      { kind: "employee", id: "E-104", name: "Anna Sokolova" }, { kind: "employee", id: "E-117", name: "Ivan Petrov" },
      { kind: "question", id: survey.question ?? "Q1", name: "How did … serve you?" },
    ],
    history: [{
      at: "2026-03-10T11:05:00.000Z", what: "changed",
      changes: { state: ["silent", "answered"], answered_at: [null, iso(opened + 4700)], employee: ["E-104", survey.employee] }, was: {}, became: {},
    }],
  };
}

export const panels = {
  panels: [
    { device: "D1", point: "S1-T1", role: "both", label: "tablet at the till", tokens: 1, invited_until: null,
      state: { at: "2026-03-10T11:00:00.000Z", queued: 3, refused: 1, oldest_at: "2026-03-10T10:40:00.000Z", sent_at: "2026-03-10T10:39:00.000Z" } },
    { device: "T9", point: "S2-D1", role: "panel", label: "", tokens: 0, invited_until: "2026-03-10T11:15:00.000Z", state: null },
  ],
};

export const invited = {
  device: "T1", code: "7KQ2-M4XA-9RTD", url: "https://okno.example/panel#7KQ2-M4XA-9RTD", expires_at: "2099-01-01T00:00:00.000Z",
  qr: { size: 9, path: "M1 1h3v1h-3zM5 5h2v1h-2z" },
};
export const codes = {
  codes: [{ code: "2YJ8AQW0ZK5M7T3R", point: "S1-T1", device: "qr-2YJ8AQW0ZK5M7T3R", created_at: "2026-03-01T09:00:00.000Z", revoked_at: null,
    url: "https://okno.example/q/2YJ8AQW0ZK5M7T3R", print: "/q/2YJ8AQW0ZK5M7T3R/print" }],
};

/** The same surveys along their points, with footage that has holes. */
export function lanes(surveys, query) {
  const wanted = ({ site }) => !query.get("site") || site === query.get("site");
  return {
    lanes: sites.sites.filter(wanted).flatMap(({ site, points }) => points.filter(({ point }) => !query.get("point") || point === query.get("point")).map(({ point, name }, lane) => {
      const own = surveys.filter((one) => one.point === point);
      return {
        site, point, name,
        surveys: own.map((one, index) => ({
          id: one.id, opened_at: one.opened_at, closes_at: one.closes_at, state: one.state, answer: one.answer, answered_at: one.answered_at,
          late: index % 7 === 3 ? 1 : 0, force_majeure: one.force_majeure, validity: one.validity, employee: one.employee, still: one.still?.url ?? null,
          footage: { state: index % 5 === 4 ? "partial" : index % 9 === 8 ? "no_recording" : "linked", from: iso(Date.parse(one.opened_at) - 20000), to: iso(Date.parse(one.closes_at) + 5000),
            gaps: index % 5 === 4 ? [[one.opened_at, iso(Date.parse(one.opened_at) + 4000)]] : [] },
        })),
        ratings: own.slice(0, 3).map((one, index) => ({ id: `Q.0.${lane}${index}`, at: iso(Date.parse(one.closes_at) + 90000), answer: ["yes", "no", "unsure"][index], channel: index ? "qr" : "panel" })),
        situations: own.slice(4, 5).map((one) => ({ id: `F.0.${lane}`, from: one.opened_at, to: iso(Date.parse(one.opened_at) + 900000), holds: 2 })),
      };
    })),
  };
}
