#include "okno/media.h"

void okno_media_result_free(struct okno_media_result *result)
{
    if (!result)
        return;
    okno_interval_vec_free(&result->gaps);
    *result = (struct okno_media_result){0};
}
