/* Telling systemd about readiness: one datagram to $NOTIFY_SOCKET (sd_notify(3) describes it). */
#ifndef OKNO_SERVICE_NOTIFY_READY_H
#define OKNO_SERVICE_NOTIFY_READY_H

/* `state` as "READY=1". Nothing happens without the variable; failures are nobody's business. */
void service_tell_systemd(const char *state);

#endif
