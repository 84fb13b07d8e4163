/* Rows of JSON Lines. */
#include "reader.h"

#include "okno/text.h"

#include <string.h>

/* The shortest decimal text that reads back as the same number. */
static void print_real(double value, char *ret_text, size_t size)
{
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(ret_text, size, "%.*g", digits, value);
        if (strtod(ret_text, NULL) >= value && strtod(ret_text, NULL) <= value)
            return;
    }
}

static const char *text_of(struct okno_record_reader *reader, const json_t *value)
{
    enum { NUMBER_TEXT = 32 };
    if (json_is_string(value))
        return json_string_value(value);
    if (json_is_boolean(value))
        return json_is_true(value) ? "true" : "false";
    char *at = reader->text + reader->text_used;
    reader->text_used += NUMBER_TEXT;
    if (json_is_integer(value))
        (void)snprintf(at, NUMBER_TEXT, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else
        print_real(json_real_value(value), at, NUMBER_TEXT);
    return at;
}

static int take_member(struct okno_record_reader *reader, const char *name, const json_t *value,
                       struct okno_record *record)
{
    char shown[OKNO_TEXT_SHOWN];
    int column = reader_find_column(reader, name);
    if (column == READER_NO_COLUMN)
        return reader_fail_unknown(reader, name, &record->err);
    if (json_is_object(value) || json_is_array(value))
        return okno_fail_field(&record->err, OKNO_MALFORMED, name,
                               "%s is an %s; a text, number, true, false or null is expected",
                               okno_text_show(name, shown),
                               json_is_array(value) ? "array" : "object");
    record->values[column] = json_is_null(value) ? NULL : text_of(reader, value);
    return 0;
}

static int take_object(struct okno_record_reader *reader, const char *text, size_t len,
                       struct okno_record *record)
{
    json_error_t trouble;
    const char *name;
    json_t *value;
    int rc = reader_check_bytes(reader, text, len, &record->err);
    if (rc < 0)
        return rc;
    reader->object = json_loadb(text, len, JSON_REJECT_DUPLICATES, &trouble);
    if (!reader->object)
        return okno_fail(&record->err, OKNO_MALFORMED, "not JSON: %s, column %d", trouble.text,
                         trouble.column);
    if (!json_is_object(reader->object))
        return okno_fail(&record->err, OKNO_MALFORMED, "not a JSON object");
    json_object_foreach(reader->object, name,
                        value) if ((rc = take_member(reader, name, value, record)) < 0) return rc;
    return 0;
}

int reader_json_next(struct okno_record_reader *reader, struct okno_record *record,
                     struct okno_err *err)
{
    size_t len = 0;
    int rc = reader_skip_blank(reader, err);
    if (rc <= 0)
        return rc;
    json_decref(reader->object);
    reader->object = NULL;
    reader->text_used = 0;
    record->line = reader->line;
    rc = reader_scan_line(reader, &len, err);
    if (rc < 0)
        return rc;
    (void)take_object(reader, reader->window + reader->start, len, record);
    rc = reader_skip_line(reader, err);
    return rc < 0 ? rc : 1;
}
