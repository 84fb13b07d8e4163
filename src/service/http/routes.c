/* What the service answers. Each row is published in /openapi.json; a test walks the table. */
#include "handlers.h"

#define QUEUE (HTTP_EXPERT | HTTP_ADMINISTRATOR)
#define FIGURES (HTTP_AUDITOR | HTTP_MANAGER | HTTP_ADMINISTRATOR)
#define EVIDENCE (HTTP_EXPERT | HTTP_AUDITOR | HTTP_MANAGER | HTTP_ADMINISTRATOR)

/* method, path, roles, query, body, reply, summary, handler */
const struct http_route http_routes[] = {
    {"GET", "/healthz", 0, "", NULL, NULL, "The process answers", http_get_healthz},
    {"GET", "/readyz", 0, "", NULL, NULL, "The service can do its work", http_get_readyz},
    {"GET", "/metrics", 0, "", NULL, NULL,
     "Prometheus text; for this machine and for administrators", http_get_metrics},
    {"GET", "/openapi.json", 0, "", NULL, "Any", "This description", http_get_openapi},

    {"POST", "/api/v1/login", 0, "", "Login", "Me", "Log in; sets the session cookie",
     http_post_login},
    {"POST", "/api/v1/logout", HTTP_ANY_ROLE, "", "Empty", NULL, "End the session",
     http_post_logout},
    {"GET", "/api/v1/me", HTTP_ANY_ROLE, "", NULL, "Me", "Who is logged in", http_get_me},
    {"POST", "/api/v1/me", HTTP_ANY_ROLE, "", "MeChange", "Me", "Change the own language",
     http_post_me},
    {"GET", "/api/v1/reasons", HTTP_ANY_ROLE, "", NULL, "Reasons",
     "Reasons for verdicts and the checklist, in both languages", http_get_reasons},

    {"POST", "/api/v1/queue/next", QUEUE, "", "QueueNext", "Item",
     "Lease the next item to review, or the item leased already", http_post_queue_next},
    {"POST", "/api/v1/queue/undo", QUEUE, "", "Empty", "Undone",
     "Take back the own last verdict; the item is leased again", http_post_undo},
    {"POST", "/api/v1/queue/{item}/heartbeat", QUEUE, "", "Lease", "LeaseUntil",
     "Keep the lease of an item", http_post_heartbeat},
    {"POST", "/api/v1/queue/{item}/submit", QUEUE, "", "Verdict", "Submitted",
     "Store a verdict on a leased item", http_post_submit},
    {"POST", "/api/v1/queue/{item}/skip", QUEUE, "", "Skip", NULL,
     "Give an item back with a reason", http_post_skip},

    {"GET", "/api/v1/audits", EVIDENCE, "", NULL, "Audits", "All audits and where they stand",
     http_get_audits},
    {"GET", "/api/v1/audits/{audit}", EVIDENCE, "", NULL, "Audit",
     "One audit with its steps; experts are shown no results", http_get_audit},
    {"GET", "/api/v1/indicators", FIGURES, "from to by audit k", NULL, "Indicators",
     "Indicators of a period: raw, excluded, estimated", http_get_indicators},
    {"GET", "/api/v1/surveys", FIGURES,
     "from to site point employee answer state validity reason video spontaneous limit cursor",
     NULL, "Surveys", "Surveys of a period with their photos, page by page", http_get_surveys},
    {"GET", "/api/v1/surveys/{survey}", FIGURES, "", NULL, "Dossier",
     "Everything about one survey: events, link, evidence, reviews, history", http_get_survey},
    {"POST", "/api/v1/surveys/{survey}/attribution", HTTP_MANAGER | HTTP_ADMINISTRATOR, "",
     "Attribution", "Attributed", "Decide who a survey is counted for, or undo that",
     http_post_attribution},
    {"POST", "/api/v1/surveys/{survey}/target", FIGURES, "", "Target", "Targeted",
     "Put a survey or rating into the review queue, outside every sample", http_post_target},
    {"GET", "/api/v1/employees", FIGURES, "", NULL, "Employees", "Employees by name",
     http_get_employees},
    {"GET", "/api/v1/evidence/{file}", EVIDENCE, "", NULL, NULL,
     "A clip or still by its SHA-256; ranges, validators; the view is logged", http_get_evidence},
    {"GET", "/api/v1/sites", FIGURES, "", NULL, "Sites", "Sites and their points", http_get_sites},
    {"GET", "/api/v1/status", FIGURES, "", NULL, "Status",
     "Work at the archives: jobs, links, archives in trouble", http_get_status},
    {"GET", "/api/v1/devices", HTTP_MANAGER | HTTP_ADMINISTRATOR, "", NULL, "Devices",
     "Devices in the field: last heard of, clock, gaps, alerts", http_get_devices},

    {"POST", "/api/v1/events", HTTP_DEVICE, "", "Events", "EventResults",
     "What a device tells: one event, or up to 1000; each is answered for itself, in order",
     http_post_events},
    {0},
};
