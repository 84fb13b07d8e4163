/* Devices in the field, for those who look after them. */
#define _POSIX_C_SOURCE 200809L
#include "handlers.h"

#include "okno/device.h"
#include "okno/time.h"

/* A device at no point belongs to no site. */
static int is_seen(const struct http_request *request, const struct okno_device *device,
                   bool *ret_seen, struct okno_err *err)
{
    int64_t seen = 0;
    if (!request->sites)
        return 0;
    int rc = OKNO_DB_INT(request->db, "service.sees_point", 0, &seen, err,
                         OKNO_TEXT("id", device->point), OKNO_TEXT("sites", request->sites));
    *ret_seen = seen != 0;
    return rc;
}

int http_get_devices(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_device_vec) devices = {0};
    json_t *list = json_array();
    okno_autojson json_t *all = json_pack("{s:o}", "devices", list);
    int rc = all ? okno_device_list(request->db, okno_time_now(), request->service->liveness_us,
                                    &devices, err)
                 : okno_fail(err, OKNO_NO_MEMORY, "no memory for the devices");
    for (size_t i = 0; rc == 0 && i < devices.len; i++) {
        bool seen = true;
        rc = is_seen(request, &devices.items[i], &seen, err);
        if (rc == 0 && seen && json_array_append_new(list, okno_device_json(&devices.items[i])) < 0)
            rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for the devices");
    }
    return rc < 0 ? rc : http_reply_json(reply, json_incref(all), err);
}
