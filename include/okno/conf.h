/* Configuration: how the service runs. One table of options drives parsing, checks, the example
 * file and its test. Data (sites, cameras, ...) is never here: it lives in the database. */
#ifndef OKNO_CONF_H
#define OKNO_CONF_H

#include "okno/budget.h"
#include "okno/buf.h"
#include "okno/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Plain data; members are named section.option as in okno.conf. */
struct okno_conf {
    struct {
        char data[1024];
        char listen[128];     /* ADDRESS:PORT */
        char public_url[512]; /* "" for none */
        char language[8];     /* browser, en or ru */
    } service;
    struct {
        int64_t window_s, duplicate_ms, late_s, fm_gap_s, hold_after_no_s, early_ms, identical_run;
        char early_answer[8], identical_answers[8], outside_hours[8], test_mode[8]; /* actions */
        int64_t liveness_h;
    } survey;
    struct {
        int64_t pre_s, post_s, max_uncertainty_ms;
    } link;
    struct {
        double silent_weight, fm_threshold, undeterminable_limit;
        int64_t min_n;
    } kpi;
    struct {
        char stills[16]; /* none, answered, all */
        bool audio;
        int64_t keep_days; /* 0: for ever */
    } evidence;
    struct {
        char tsa_url[512], tsa_ca[512]; /* "" for none */
    } proof;
    struct {
        int64_t parallel, deadline_s, window_mb, rate_kb;
        char hours[16]; /* HH:MM-HH:MM, "" for always */
    } fetch;
    struct {
        int64_t lease_min, appeal_days, answer_days;
    } review;
    struct {
        char telegram_url[512];
        char ca_file[512];
        bool private_addresses;
        int64_t deadline_s, retry_s, give_up_h, photo_wait_s, keep_days;
    } notify;
    struct {
        int64_t session_h, device_per_min;
    } limits;
};

enum okno_option_type {
    OKNO_OPTION_TEXT,   /* any, up to the member's size */
    OKNO_OPTION_PATH,   /* absolute */
    OKNO_OPTION_LISTEN, /* ADDRESS:PORT */
    OKNO_OPTION_URL,    /* "" or http(s)://... */
    OKNO_OPTION_HOURS,  /* "" or HH:MM-HH:MM */
    OKNO_OPTION_WORD,   /* one of words */
    OKNO_OPTION_INT,
    OKNO_OPTION_REAL,
    OKNO_OPTION_BOOL
};

/* One row of the table. */
struct okno_option {
    const char *section, *name;
    enum okno_option_type type;
    const char *fallback; /* the default, as written in the file */
    double min, max;      /* INT, REAL; both inclusive */
    const char *words;    /* WORD */
    const char *help;
    size_t offset, size; /* of the member */
};

const struct okno_option *okno_conf_options(size_t *ret_count);

/* All defaults. */
void okno_conf_defaults(struct okno_conf *ret_conf);

/* What one clip, still or look at an archive may cost by these settings: ten requests' time, and
 * fetch.window_mb. `cancel` as in budget.h. */
struct okno_budget okno_conf_budget(const struct okno_conf *conf, const atomic_bool *cancel);

/* Read a file over the defaults. OKNO_CONFIG with `FILE:LINE: ...` and what is allowed for an
 * unknown section or option, a wrong type, a value out of range, an option given twice, a file that
 * cannot be read. */
OKNO_CHECK int okno_conf_load(const char *path, struct okno_conf *ret_conf, struct okno_err *err);

/* The text of conf/okno.conf.example: every option with its help, range and default. */
OKNO_CHECK int okno_conf_example(struct okno_buf *buf, struct okno_err *err);

#endif
