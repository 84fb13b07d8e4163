/* People and their sessions, as the session handlers need them. */
#ifndef OKNO_SERVICE_PEOPLE_H
#define OKNO_SERVICE_PEOPLE_H

#include "http.h"

/* OKNO_UNAUTHENTICATED for an unknown or disabled user and for a wrong password alike, after the
 * same work. */
OKNO_CHECK int people_check_password(struct okno_db *db, const char *user, const char *password,
                                     struct http_person *ret_who, struct okno_err *err);

/* A new session; its token is known to the client only, the database keeps a hash. */
OKNO_CHECK int people_open_session(struct okno_db *db, const char *user, int64_t age_us,
                                   int64_t now_us, char ret_token[HTTP_TOKEN_TEXT],
                                   struct okno_err *err);

/* 1 with *ret_who when the session stands, 0 when not. */
OKNO_CHECK int people_of_session(struct okno_db *db, const char *token, int64_t now_us,
                                 struct http_person *ret_who, struct okno_err *err);

OKNO_CHECK int people_close_session(struct okno_db *db, const char *token, struct okno_err *err);

OKNO_CHECK int people_set_language(struct okno_db *db, const char *user, const char *language,
                                   struct okno_err *err);

#endif
