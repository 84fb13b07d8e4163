#define _GNU_SOURCE
#include "wire.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

void wire_stamp(char ret_text[WIRE_STAMP])
{
    (void)snprintf(ret_text, WIRE_STAMP, "%s/%zu.%zu.%zu.%zu.%zu", OKNO_VERSION,
                   sizeof(struct wire_job), sizeof(struct wire_input), sizeof(struct wire_spawn),
                   sizeof(union wire_said), sizeof(struct wire_got));
}

int wire_send(int fd, const void *message, size_t len, int flags)
{
    ssize_t sent = 0;
    do
        sent = send(fd, message, len, flags | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)len ? 0 : -1;
}

ssize_t wire_recv(int fd, void *ret_message, size_t size, int flags)
{
    ssize_t got = 0;
    do
        got = recv(fd, ret_message, size, flags | MSG_TRUNC);
    while (got < 0 && errno == EINTR);
    return got;
}

union fds_space {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(WIRE_FDS * sizeof(int))];
};

int wire_send_fds(int fd, const void *message, size_t len, const int *fds, size_t count)
{
    union fds_space space = {0};
    struct iovec part = {.iov_base = (void *)(uintptr_t)message, .iov_len = len};
    struct msghdr head = {.msg_iov = &part,
                          .msg_iovlen = 1,
                          .msg_control = space.bytes,
                          .msg_controllen = CMSG_SPACE(count * sizeof(int))};
    struct cmsghdr *control = CMSG_FIRSTHDR(&head);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    control->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(control), fds, count * sizeof(int));
    ssize_t sent = 0;
    do
        sent = sendmsg(fd, &head, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)len ? 0 : -1;
}

ssize_t wire_recv_fds(int fd, void *ret_message, size_t size, int ret_fds[WIRE_FDS],
                      size_t *ret_count)
{
    union fds_space space = {0};
    struct iovec part = {.iov_base = ret_message, .iov_len = size};
    struct msghdr head = {.msg_iov = &part,
                          .msg_iovlen = 1,
                          .msg_control = space.bytes,
                          .msg_controllen = sizeof(space.bytes)};
    ssize_t got = 0;
    do
        got = recvmsg(fd, &head, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    *ret_count = 0;
    struct cmsghdr *control = got < 0 ? NULL : CMSG_FIRSTHDR(&head);
    if (control && control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_RIGHTS) {
        *ret_count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(ret_fds, CMSG_DATA(control), *ret_count * sizeof(int));
    }
    return got;
}
