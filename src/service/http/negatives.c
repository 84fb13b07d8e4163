/* Negative ratings and what staff say to them. */
#define _POSIX_C_SOURCE 200809L
#include "handlers.h"

#include "okno/comment.h"
#include "okno/time.h"

#include <string.h>

enum { LIMIT_DEFAULT = 50, LIMIT_MAX = 500, DAYS_DEFAULT = 30 };

/* The period of the query, else the last month up to now. */
static int take_period(const struct http_request *request, struct okno_negative_filter *filter,
                       struct okno_err *err)
{
    if (http_query(request, "from") || http_query(request, "to"))
        return http_query_period(request, &filter->from_us, &filter->to_us, err);
    filter->to_us = INT64_MAX;
    filter->from_us = okno_time_now() - DAYS_DEFAULT * OKNO_DAY_US;
    return 0;
}

static int take_filter(const struct http_request *request, struct okno_negative_filter *filter,
                       struct okno_err *err)
{
    const char *commented = http_query(request, "commented");
    const char *limit = http_query(request, "limit");
    int rc = take_period(request, filter, err);
    filter->site = http_query(request, "site");
    filter->point = http_query(request, "point");
    filter->sites = request->sites;
    filter->before = http_query(request, "cursor");
    filter->limit = limit ? strtol(limit, NULL, 10) : LIMIT_DEFAULT;
    filter->commented = commented ? strcmp(commented, "true") == 0 : -1;
    if (rc == 0 && commented && !okno_text_is_word(commented, "true false"))
        rc = okno_fail_field(err, OKNO_INVALID, "commented", "commented must be true or false");
    if (rc == 0 && (filter->limit < 1 || filter->limit > LIMIT_MAX ||
                    (limit && strspn(limit, "0123456789") != strlen(limit))))
        rc = okno_fail_field(err, OKNO_INVALID, "limit", "limit must be from 1 to %d", LIMIT_MAX);
    return rc;
}

/* Staff who are no employee to the database have no ratings. */
static int take_employee(const struct http_request *request, struct okno_negative_filter *filter,
                         struct okno_err *err)
{
    if (request->role != HTTP_STAFF)
        return 0;
    if (!request->who.employee[0])
        return okno_fail(err, OKNO_FORBIDDEN,
                         "your login is not joined to an employee; an administrator can do that");
    filter->employee = request->who.employee;
    return 0;
}

int http_get_negatives(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    struct okno_negative_filter filter = OKNO_NEGATIVE_FILTER_ALL;
    json_t *list = NULL;
    int rc = take_filter(request, &filter, err);
    if (rc == 0)
        rc = take_employee(request, &filter, err);
    if (rc == 0)
        rc = okno_negative_list(request->db, &filter, &list, err);
    return rc < 0 ? rc : http_reply_json(reply, list, err);
}

int http_check_own(const struct http_request *request, const char *rating, struct okno_err *err)
{
    struct okno_negative_filter filter = OKNO_NEGATIVE_FILTER_ALL;
    okno_autojson json_t *list = NULL;
    if (request->role != HTTP_STAFF)
        return 0;
    filter.rating = rating;
    filter.sites = request->sites;
    int rc = take_employee(request, &filter, err);
    if (rc == 0)
        rc = okno_negative_list(request->db, &filter, &list, err);
    if (rc == 0 && json_array_size(json_object_get(list, "negatives")) == 0)
        rc = okno_fail(err, OKNO_FORBIDDEN, "this is no negative rating of your own shifts");
    return rc;
}

int http_post_comment(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    const char *tags[OKNO_COMMENT_TAGS_MAX];
    const json_t *list = json_object_get(request->body, "tags");
    const char *text = json_string_value(json_object_get(request->body, "text"));
    int64_t id = 0;
    struct okno_comment comment = {.rating = request->params[0],
                                   .user = request->who.user,
                                   .text = text ? text : "",
                                   .tags = tags,
                                   .tag_count = json_array_size(list),
                                   .at_us = okno_time_now()};
    for (size_t i = 0; i < comment.tag_count && i < OKNO_COMMENT_TAGS_MAX; i++)
        tags[i] = json_string_value(json_array_get(list, i));
    int rc = http_check_own(request, comment.rating, err);
    if (rc == 0)
        rc = okno_comment_add(request->db, &comment, &id, err);
    return rc < 0 ? rc : http_reply_json(reply, json_pack("{s:I}", "comment", (json_int_t)id), err);
}

int http_get_reaction(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    struct okno_negative_filter filter = OKNO_NEGATIVE_FILTER_ALL;
    json_t *reaction = NULL;
    int rc = take_filter(request, &filter, err);
    if (rc == 0)
        rc = okno_reaction(request->db, &filter, &reaction, err);
    return rc < 0 ? rc : http_reply_json(reply, reaction, err);
}

int http_get_tags(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    size_t len = 0;
    const char *json = okno_comment_tags_json(&len);
    return http_reply_fixed(request, reply, "application/json", json, len, err);
}
