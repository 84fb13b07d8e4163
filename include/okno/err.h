/* Errors: one table of codes, and a message that travels up beside the code.
 *
 * A fallible function returns 0 or a negative code from the table, takes `struct okno_err *err`
 * as its last parameter (NULL is allowed: the message is dropped) and leaves its ret_ outputs
 * untouched on failure. The message is for people: what happened, where, what to do next. */
#ifndef OKNO_ERR_H
#define OKNO_ERR_H

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#define OKNO_CHECK __attribute__((warn_unused_result))
#define OKNO_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* X(name, number, HTTP status, exit code, text in English, text in Russian)
 * The name in lower case is the machine-readable code in JSON answers and rejected-row lines.
 * Exit codes: 1 failed, 2 wrong usage, 3 not found, 4 in part, 5 refused, 6 check failed. */
#define OKNO_ERR_TABLE(X)                                                                          \
    X(FAILED, 1, 500, 1, "failed", "сбой")                                                         \
    X(NO_MEMORY, 2, 503, 1, "out of memory", "не хватает памяти")                                  \
    X(IO, 3, 500, 1, "input or output failed", "ошибка ввода-вывода")                              \
    X(NO_SPACE, 4, 503, 1, "no space left on disk", "на диске нет места")                          \
    X(DATABASE, 5, 500, 1, "database error", "ошибка базы данных")                                 \
    X(BUSY, 6, 503, 1, "busy, try again", "занято, повторите позже")                               \
    X(TIMEOUT, 7, 504, 1, "deadline passed", "время вышло")                                        \
    X(CANCELLED, 8, 503, 1, "cancelled", "отменено")                                               \
    X(USAGE, 10, 400, 2, "wrong usage", "неверный вызов")                                          \
    X(CONFIG, 11, 500, 2, "wrong configuration", "ошибка в настройках")                            \
    X(INVALID, 12, 400, 2, "value not allowed", "недопустимое значение")                           \
    X(MISSING, 13, 400, 2, "required value missing", "нет обязательного значения")                 \
    X(UNKNOWN_FIELD, 14, 400, 2, "unknown field", "неизвестное поле")                              \
    X(UNKNOWN_REF, 15, 400, 2, "refers to something unknown", "ссылка на неизвестное")             \
    X(MALFORMED, 16, 400, 2, "malformed input", "испорченные данные")                              \
    X(TOO_LARGE, 17, 413, 2, "too large", "слишком много")                                         \
    X(LENGTH_REQUIRED, 18, 411, 2, "length required", "нужна длина тела")                          \
    X(TOO_MANY, 19, 429, 1, "too many requests", "слишком много запросов")                         \
    X(NOT_FOUND, 20, 404, 3, "not found", "не найдено")                                            \
    X(QUEUE_EMPTY, 21, 404, 3, "nothing left to review", "проверять больше нечего")                \
    X(WRONG_METHOD, 22, 405, 2, "method not allowed here", "этот метод здесь не работает")         \
    X(PARTIAL, 30, 200, 4, "done in part", "сделано частично")                                     \
    X(CONFLICT, 31, 409, 5, "conflicts with what is stored", "противоречит сохранённому")          \
    X(REFUSED, 40, 409, 5, "refused", "отказано")                                                  \
    X(OUT_OF_ORDER, 41, 409, 5, "step out of order", "шаг не по порядку")                          \
    X(UNAUTHENTICATED, 42, 401, 5, "log in first", "сначала войдите")                              \
    X(FORBIDDEN, 43, 403, 5, "not allowed", "нет прав")                                            \
    X(LEASE_LOST, 44, 409, 5, "the lease is over", "время на проверку вышло")                      \
    X(CHECK_FAILED, 50, 500, 6, "check failed", "проверка не прошла")                              \
    X(NO_COVERAGE, 60, 404, 3, "nothing recorded", "записи нет")                                   \
    X(NO_CAMERA, 61, 404, 3, "no camera sees this point", "у точки нет камеры")                    \
    X(NOT_YET, 62, 503, 3, "not recorded yet", "ещё не записано")                                  \
    X(GONE, 63, 410, 3, "overwritten by the archive", "уже стёрто архивом")                        \
    X(ARCHIVE_AUTH, 64, 502, 1, "the archive refused the login", "архив не принял пароль")         \
    X(ARCHIVE_BUSY, 65, 503, 1, "the archive is busy", "архив занят")                              \
    X(ARCHIVE_REFUSED, 66, 502, 1, "the archive refused", "архив отказал")                         \
    X(TOO_LONG, 67, 400, 1, "longer than the archive gives", "дольше, чем отдаёт архив")           \
    X(TRANSIENT, 68, 503, 1, "the archive did not answer", "архив не ответил")                     \
    X(PROTOCOL, 69, 502, 1, "the archive broke its protocol", "архив нарушил протокол")            \
    X(MEDIA, 70, 422, 1, "the recording cannot be read", "запись не читается")                     \
    X(UNSUPPORTED, 71, 501, 1, "not supported", "не поддерживается")

enum okno_code {
    OKNO_OK = 0,
#define OKNO_ERR_ENUM(name, number, http, exit, en, ru) OKNO_##name = -(number),
    OKNO_ERR_TABLE(OKNO_ERR_ENUM)
#undef OKNO_ERR_ENUM
};

/* The first failure's code and message. Zero-initialise before use: `struct okno_err err = {0};` */
struct okno_err {
    int code;         /* 0 or a code of the table */
    char field[64];   /* the input field at fault, empty where there is none */
    char text[448];   /* for people; no trailing dot, no newline */
    int64_t retry_us; /* the other side asked to be left alone that long; 0: it said nothing */
};

/* Facts of one row of the table. */
struct okno_code_info {
    int code;
    const char *name; /* lower case, e.g. "not_found" */
    int http_status;
    int exit_code;
    const char *en;
    const char *ru;
};

/* The row for a code; unknown codes give the row of OKNO_FAILED. Never NULL. */
const struct okno_code_info *okno_code_info(int code);

/* All rows; *ret_count is their number. For docs, OpenAPI and tests. */
const struct okno_code_info *okno_code_table(size_t *ret_count);

/* Record a failure unless one is recorded already (the first message is the precise one).
 * Returns the recorded code, so that callers write `return okno_fail(err, OKNO_INVALID, ...)`.
 * With err NULL returns `code`. */
int okno_fail(struct okno_err *err, int code, const char *fmt, ...) OKNO_PRINTF(3, 4);

/* The same, naming the input field at fault. */
int okno_fail_field(struct okno_err *err, int code, const char *field, const char *fmt, ...)
    OKNO_PRINTF(4, 5);

/* The same with how long to wait before asking again, for NOT_YET and ARCHIVE_BUSY. */
int okno_fail_retry(struct okno_err *err, int code, int64_t retry_us, const char *fmt, ...)
    OKNO_PRINTF(4, 5);

/* Record what another err holds, its field and wait too. */
int okno_fail_from(struct okno_err *err, const struct okno_err *from);

/* Record a failed system call: NO_SPACE for ENOSPC and EDQUOT, NO_MEMORY for ENOMEM, NOT_FOUND for
 * ENOENT, else IO; the message ends in strerror(number). */
int okno_fail_errno(struct okno_err *err, int number, const char *fmt, ...) OKNO_PRINTF(3, 4);

/* Put "what: " in front of a recorded message that does not begin with it; nothing when none is
 * recorded. */
void okno_err_context(struct okno_err *err, const char *fmt, ...) OKNO_PRINTF(2, 3);

/* Forget a recorded failure, to go on with the next item. */
void okno_err_clear(struct okno_err *err);

#endif
