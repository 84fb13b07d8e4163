#define _POSIX_C_SOURCE 200809L
#include "cli.h"

#include "okno/conf.h"
#include "okno/serve.h"
#include "okno/text.h"

#include <string.h>

static int take_option(struct okno_serve_options *options, int argc, char **argv, int *at,
                       struct okno_err *err)
{
    char shown[OKNO_TEXT_SHOWN];
    const char *name = argv[*at];
    if (strcmp(name, "--behind-proxy") == 0) {
        options->behind_proxy = true;
        return 0;
    }
    const char **value = strcmp(name, "--listen") == 0      ? &options->listen
                         : strcmp(name, "--port-file") == 0 ? &options->port_file
                                                            : NULL;
    if (!value)
        return okno_fail(err, OKNO_USAGE, "unknown option %s; see okno serve --help",
                         okno_text_show(name, shown));
    if (*at + 1 == argc)
        return okno_fail(err, OKNO_USAGE, "%s needs a value", name);
    *value = argv[++*at];
    return 0;
}

static int run(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    struct okno_serve_options options = {
        .data_dir = cli->data_dir,
        .listen = cli->conf->service.listen,
        .public_url = cli->conf->service.public_url,
        .workers = (int)cli->conf->fetch.parallel,
    };
    for (int i = 1; i < argc; i++) {
        int rc = take_option(&options, argc, argv, &i, err);
        if (rc < 0)
            return rc;
    }
    return okno_serve_run(&options, cli->conf, err);
}

const struct cli_command cli_serve = {
    .name = "serve",
    .summary = "run the service: web page, API, work at the archives",
    .help =
        "usage: okno [--config FILE] [--data DIR] serve [options]\n"
        "\n"
        "Runs until SIGTERM or Ctrl-C, then finishes what runs and exits 0. The log is on\n"
        "stderr; the line `listening on ADDRESS` says that it answers.\n"
        "\n"
        "  --listen ADDRESS:PORT  instead of service.listen; port 0 picks a free one\n"
        "  --port-file FILE       write the port to FILE once it answers\n"
        "  --behind-proxy         allow a listener that is not loopback; only where a strict\n"
        "                         proxy such as nginx is the only one that reaches it\n"
        "\n"
        "example: okno --data /var/lib/okno serve --listen 127.0.0.1:8080\n",
    .run = run,
};
