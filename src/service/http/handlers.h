/* The handlers of the route table, one file per noun. */
#ifndef OKNO_SERVICE_HANDLERS_H
#define OKNO_SERVICE_HANDLERS_H

#include "http.h"
#include "okno/import.h"

/* health.c */
http_handler http_get_healthz, http_get_readyz, http_get_metrics, http_get_openapi,
    http_get_reasons;
/* session.c */
http_handler http_post_login, http_post_logout, http_get_me, http_post_me;
/* appeals.c */
http_handler http_get_appeals, http_get_rulings, http_post_appeal, http_post_appeal_take,
    http_post_appeal_decide, http_post_appeal_withdraw;
/* reviewers.c */
http_handler http_get_reviewers, http_get_gold, http_post_gold, http_get_calibrations,
    http_post_calibration, http_post_calibration_close;
/* escalations.c */
http_handler http_get_escalations, http_post_escalation;
/* queue.c */
http_handler http_post_queue_next, http_post_heartbeat, http_post_submit, http_post_skip,
    http_post_undo;
/* evidence.c */
http_handler http_get_evidence;
/* audits.c */
http_handler http_get_audits, http_get_audit;
/* programmes.c */
http_handler http_get_programmes, http_get_programme, http_post_programme,
    http_post_programme_pause, http_post_programme_secret, http_get_programme_figures;
/* audit_steps.c */
http_handler http_post_audit, http_post_freeze, http_post_checkpoint, http_post_seed,
    http_post_draw, http_post_extend, http_post_close, http_post_abandon, http_get_audit_checkpoint,
    http_get_audit_sample, http_get_audit_frame;
/* audit_keys.c */
http_handler http_get_audit_keys, http_post_audit_key, http_post_audit_key_revoke;
/* audit_desk.c */
http_handler http_get_sample_size, http_get_audit_waiting;
/* bundle.c */
http_handler http_post_export;
/* Remove DATA/http-exports, where a service that was killed may have left half made bundles. Only
 * before requests are taken: it spares nothing. */
void http_export_sweep(const char *data_dir);
/* audit_report.c */
http_handler http_get_audit_report, http_post_audit_report, http_get_programme_report;
/* figures.c */
http_handler http_get_indicators, http_get_indicators_report;
/* surveys.c */
http_handler http_get_surveys, http_get_survey, http_get_changes;
/* attribution.c */
http_handler http_post_void, http_post_void_answer, http_get_voids;
http_handler http_get_audit_proof, http_post_audit_manifest, http_post_audit_signature;
http_handler http_get_consistency, http_get_retention;
http_handler http_get_holds, http_post_hold, http_post_hold_release;
http_handler http_post_attribution, http_post_target, http_get_employees;
/* periods.c */
http_handler http_get_periods, http_get_period, http_post_period, http_get_adjustments,
    http_get_period_verify, http_get_period_csv, http_get_statements, http_get_published,
    http_get_publication, http_get_publication_verify, http_post_published;
/* events.c */
http_handler http_post_events;
/* panel.c */
http_handler http_post_panel, http_get_panels, http_post_panel_revoke, http_post_pair,
    http_get_panel, http_post_panel_state, http_post_panel_boot, http_get_presses, http_get_prompt;
/* qr.c */
http_handler http_get_qr, http_post_qr_answer, http_get_qr_print, http_get_qr_svg,
    http_get_qr_codes, http_post_qr_code, http_post_qr_revoke;
/* lanes.c */
http_handler http_get_lanes;
/* archives.c */
http_handler http_get_archives, http_get_losses_csv, http_post_commission;
/* archive_rows.c */
http_handler http_post_archive, http_post_camera, http_post_archive_test;
/* The kinds there are with their options; the row of an archive as "row" of an object. */
json_t *http_archive_kinds(void);
OKNO_CHECK int http_archive_row(struct okno_db *db, const char *archive, json_t *into,
                                struct okno_err *err);
/* clocks.c */
http_handler http_get_archive_clock, http_get_camera_clock, http_post_archive_probe,
    http_post_camera_sync, http_post_sync_accept, http_post_survey_overlay;
/* devices.c */
http_handler http_get_devices;

/* alerts.c */
http_handler http_get_alerts, http_post_ack, http_get_rules, http_post_rule;
/* messages.c */
http_handler http_get_destinations, http_post_destination, http_post_destination_test,
    http_get_deliveries, http_post_delivery_retry;
/* negatives.c */
http_handler http_get_negatives, http_post_comment, http_get_reaction, http_get_tags;
/* users.c */
http_handler http_get_users, http_post_grant, http_post_user_destination;

/* negatives.c: staff act on negative ratings of their own. OKNO_FORBIDDEN for others'. */
OKNO_CHECK int http_check_own(const struct http_request *request, const char *rating,
                              struct okno_err *err);
/* alerts.c: the body's fields as one row of an import kind, by who asks. */
OKNO_CHECK int http_import_body(const struct http_request *request,
                                const struct okno_import_kind *kind, struct okno_err *err);

/* panel.c: the point where the device that asks stands now. OKNO_NOT_FOUND. */
OKNO_CHECK int http_device_point(struct http_request *request, char ret_point[OKNO_ID_TEXT],
                                 struct okno_err *err);

/* photo.c */
http_handler http_get_rating_photo;

/* status.c */
http_handler http_get_sites, http_get_status;

/* audit_report.c: a model in the format and language that the query asks for, as a file; that it
 * left the house is written down. `name` NULL: the noun alone says what it is of. */
OKNO_CHECK int http_reply_report(const struct http_request *request, const json_t *model,
                                 const char *noun, const char *name, struct http_reply *reply,
                                 struct okno_err *err);

/* figures.c: a moment in the query, and the period that `from` and `to` say, `from` before `to`.
 * OKNO_MISSING or OKNO_INVALID name the parameter. */
OKNO_CHECK int http_query_time(const struct http_request *request, const char *name,
                               int64_t *ret_us, struct okno_err *err);
OKNO_CHECK int http_query_period(const struct http_request *request, int64_t *ret_from_us,
                                 int64_t *ret_to_us, struct okno_err *err);

enum { HTTP_URL_TEXT = 600 };

/* panel.c: the address by which browsers reach the service: public_url, else what this request
 * asked; without a slash at its end. */
void http_base_url(const struct http_request *request, char ret_url[HTTP_URL_TEXT]);

/* panel.c: {"size", "path"} of a QR code. */
json_t *http_qr_json(const char *text);

/* panel.c: let the panels of the point know of the presses that were stored. */
void http_panel_tell(struct http_request *request, const struct http_intake_batch *batch);

#endif
