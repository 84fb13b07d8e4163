/* Names of states and flags, as stored and shown. */
#include "okno/survey.h"

#include <stdio.h>
#include <string.h>

static const char *const flag_texts[] = {
#define FLAG_TEXT(name, text) text,
    OKNO_SURVEY_FLAG_TABLE(FLAG_TEXT)
#undef FLAG_TEXT
};

const char *okno_survey_flags_text(unsigned flags, char ret_text[OKNO_SURVEY_FLAGS_TEXT])
{
    size_t used = 0;
    ret_text[0] = '\0';
    for (size_t i = 0; i < sizeof(flag_texts) / sizeof(flag_texts[0]); i++) {
        if (!(flags & 1U << i))
            continue;
        (void)snprintf(ret_text + used, OKNO_SURVEY_FLAGS_TEXT - used, "%s%s", used ? " " : "",
                       flag_texts[i]);
        used = strlen(ret_text);
    }
    return ret_text;
}

const char *okno_survey_last_flag(unsigned flags)
{
    for (size_t i = sizeof(flag_texts) / sizeof(flag_texts[0]); i-- > 0;)
        if (flags & 1U << i)
            return flag_texts[i];
    return "";
}

const char *okno_survey_state_text(enum okno_survey_state state)
{
    static const char *const texts[] = {"open", "answered", "silent"};
    return texts[state];
}
