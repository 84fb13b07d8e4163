#define _GNU_SOURCE
#include "cli.h"

#include "okno/conf.h"
#include "okno/db.h"
#include "okno/mem.h"
#include "okno/serve.h"
#include "options.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* One service a data directory: a locked file that holds its pid. The lock ends with the process,
 * however it ends; other commands do not ask for it. */
static int lock_data(const char *data_dir, int *ret_fd, struct okno_err *err)
{
    char path[1200];
    char pid[32] = "";
    (void)snprintf(path, sizeof(path), "%s/serve.lock", data_dir);
    int fd = *ret_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return okno_fail(err, OKNO_IO, "%s: %s", path, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK)
            return okno_fail(err, OKNO_IO, "%s: %s", path, strerror(errno));
        ssize_t got = pread(fd, pid, sizeof(pid) - 1, 0);
        pid[got > 0 ? strspn(pid, "0123456789") : 0] = '\0';
        return okno_fail(err, OKNO_REFUSED,
                         "%s is served by another okno serve (pid %s, which holds %s): stop that "
                         "one first, or give --data another directory",
                         data_dir, *pid ? pid : "unknown", path);
    }
    int len = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) < 0 || pwrite(fd, pid, (size_t)len, 0) != len)
        return okno_fail(err, OKNO_IO, "%s: %s", path, strerror(errno));
    return 0;
}

/* A data directory that is not there, or not ours, is said as every command says it. */
static int is_ready(struct cli *cli, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    int rc = cli_open_db(cli, &db, err);
    return rc < 0 ? rc : okno_db_must_write(db, err);
}

static int run(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    struct okno_serve_options options = {
        .data_dir = cli->data_dir,
        .listen = cli->conf->service.listen,
        .public_url = cli->conf->service.public_url,
        .workers = (int)cli->conf->fetch.parallel,
    };
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--listen", .text = &options.listen},
                         {.name = "--port-file", .text = &options.port_file},
                         {.name = "--behind-proxy", .flag = &options.behind_proxy});
    if (rc == 0 && rest > 0)
        rc = okno_fail(err, OKNO_USAGE, "serve takes options only; see okno serve --help");
    if (rc == 0)
        rc = is_ready(cli, err);
    okno_autoclose int lock = -1;
    if (rc == 0)
        rc = lock_data(cli->data_dir, &lock, err);
    if (rc < 0)
        return rc;
    return okno_serve_run(&options, cli->conf, err);
}

const struct cli_command cli_serve = {
    .name = "serve",
    .media = true,
    .summary = "run the service: web page, API, work at the archives",
    .help =
        "usage: okno [--config FILE] [--data DIR] serve [options]\n"
        "\n"
        "Runs until SIGTERM or Ctrl-C, then finishes what runs and exits 0. The log is on\n"
        "stderr; the line `listening on ADDRESS` says that it answers.\n"
        "\n"
        "  --listen ADDRESS:PORT  instead of service.listen; port 0 picks a free one\n"
        "  --port-file FILE       write the port to FILE once it answers\n"
        "  --behind-proxy         allow a listener that is not loopback and believe X-Real-IP;\n"
        "                         only where a strict proxy such as nginx is the only one that\n"
        "                         reaches it\n"
        "\n"
        "example: okno --data /var/lib/okno serve --listen 127.0.0.1:8080\n",
    .run = run,
};
