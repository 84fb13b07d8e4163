// What the mock service tells of alerts, comments, messages and rights, and how it changes.
const iso = (ms) => new Date(ms).toISOString();

const alert = (n, kind, more) => ({
  alert: n, rule: kind, kind, subject: "S1-T1", site: "S1", point: "S1-T1", at: iso(Date.now() - n * 600000), opened_at: iso(Date.now() - n * 600000),
  closed_at: null, closed_why: null, detail: {}, acked_at: null, acked_by: null, note: "", ...more,
});

const tag = (id, key, en, ru) => ({ id, key, en, ru });

export const tags = {
  version: 1,
  tags: [tag("QUEUE", "1", "Long wait", "Долгое ожидание"), tag("ATTITUDE", "2", "How the customer was treated", "Отношение к клиенту"), tag("OTHER", "0", "Other", "Другое")],
};

const negative = (rating, point, hours, more) => ({
  rating, site: "S1", point, employee: "E-104", answered_at: iso(Date.now() - hours * 3600000), channel: null, spontaneous: false, still: null, clip: null,
  comments: [], ...more,
});

const rule = (name, more) => ({
  rule: name, kind: name, where: "all", per: "point", count: 3, share: 0.3, window_min: 60, min_n: 20, again_min: 60, photo: false, to: "", enabled: true, built_in: true, ...more,
});

/** State of one mock. */
export function alertState(scene) {
  const still = scene.stills[0]?.sha256 ?? null;
  return {
    alerts: [
      alert(5, "negatives", { detail: { count: 4, window_min: 60, first_at: iso(Date.now() - 3600000) } }),
      alert(4, "negative", { subject: "D1.0.1002", rule: "mall-no" }),
      alert(3, "silent_share", { detail: { count: 30, total: 40, share_ppm: 750000, limit_ppm: 700000, window_min: 240 } }),
      alert(2, "archive", { subject: "A1", site: null, point: null, detail: { code: "transient", waiting: 12, lost_at: "2026-03-12T06:00:00.000Z" } }),
      alert(1, "device_quiet", { subject: "D2", point: "S1-T2", closed_at: iso(Date.now()), closed_why: "over" }),
    ],
    negatives: [
      negative("D1.0.1002", "S1-T1", 0.5, { still }),
      negative("D1.0.1003", "S1-T2", 7, { still, employee: null }),
      negative("D1.0.900", "S1-T1", 70, { comments: [{ id: 1, rating: "D1.0.900", at: iso(Date.now() - 69 * 3600000), user: "pavel", text: "The till was down.", tags: ["OTHER"] }] }),
    ],
    destinations: [{
      destination: "boss", kind: "telegram", url: "", chat: "-1001", secret: "bot", old_secret: "", user: "", address: "", sender: "", tls: "required", language: "ru", time_zone: "Europe/Moscow", quiet: "22:00-08:00", photo: false, enabled: true,
      waiting: 2, held: 0, dead: 1, last_sent_at: iso(Date.now() - 7200000), trouble: "the receiver is in trouble (502)",
    }],
    deliveries: [{ delivery: 7, destination: "boss", kind: "alert", alert: 3, event: "opened", key: "k", state: "dead", attempts: 30, next_at: null, made_at: iso(0), ended_at: iso(0), status: 400, reason: "the receiver takes no such message (400: chat not found)" }],
    accounts: [
      { user: "admin", name: "Irina Belova", role: "administrator", employee: null, disabled: false, sees_granted_only: false, grants: [] },
      { user: "manager", name: "Pavel Orlov", role: "manager", employee: null, disabled: false, sees_granted_only: true, grants: [{ scope: "site:S1", at: "2026-03-01T00:00:00.000Z", author: "admin" }] },
      { user: "anna", name: "", role: "staff", employee: "E-104", disabled: false, sees_granted_only: true, grants: [] },
    ],
    addressed: [], tested: [], retried: [], saved: [],
  };
}

/** The answer, or undefined for an address that is not of these. */
export function answerAlerts(state, method, path, query, body, user) {
  const [noun, id, verb] = path.split("/").map(decodeURIComponent);
  if (noun === "tags") return tags;
  if (noun === "alert-rules" && method === "POST") {
    state.saved.push(body);
    return null;
  }
  if (noun === "alert-rules") return { rules: [rule("negative", { to: "boss", built_in: false }), rule("negatives"), rule("silent_share", { share: 0.7, window_min: 240 }), rule("clock_jump", { enabled: false })] };
  if (noun === "alerts" && id) {
    Object.assign(state.alerts.find((one) => one.alert === Number(id)), { acked_at: iso(Date.now()), acked_by: user.user });
    return null;
  }
  if (noun === "alerts") {
    const open = query.get("open");
    return { alerts: state.alerts.filter((one) => (!query.get("kind") || one.kind === query.get("kind")) && (!open || String(one.closed_at === null) === open)), next: null };
  }
  if (noun === "destinations" && verb === "test") {
    state.tested.push(id);
    return { delivery: 8 };
  }
  if (noun === "destinations" && method === "POST") {
    state.addressed.push(body);
    return null;
  }
  if (noun === "destinations") return { destinations: state.destinations };
  if (noun === "deliveries" && verb === "retry") {
    state.retried.push(Number(id));
    state.deliveries = [];
    return null;
  }
  if (noun === "deliveries") return { deliveries: state.deliveries };
  if (noun === "negatives" && verb === "comments") {
    const one = state.negatives.find(({ rating }) => rating === id);
    one.comments.push({ id: 9, rating: id, at: iso(Date.now()), user: user.user, text: body.text, tags: body.tags });
    return { comment: 9 };
  }
  if (noun === "negatives") {
    const commented = query.get("commented");
    return { negatives: state.negatives.filter(({ comments }) => !commented || String(comments.length > 0) === commented), next: null };
  }
  if (noun === "reaction") return { sites: [{ site: "S1", negatives: 3, commented: 1, median_s: 3600, p90_s: 3600 }, { site: "S2", negatives: 1, commented: 0, median_s: null, p90_s: null }], tags: [{ tag: "OTHER", count: 1 }] };
  if (noun === "users" && verb === "grants") {
    const account = state.accounts.find((one) => one.user === id);
    account.grants = account.grants.filter(({ scope }) => scope !== body.scope);
    if (body.granted) account.grants.push({ scope: body.scope, at: iso(Date.now()), author: user.user });
    return null;
  }
  return noun === "users" ? { users: state.accounts } : undefined;
}
