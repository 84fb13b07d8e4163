/* Kind `dir` against real servers: the same recordings through each give the same clip, byte for
 * byte, as from the folder itself. */
#define _GNU_SOURCE
#include "../support/nginx.h"
#include "../support/program.h"
#include "../support/recording.h"
#include "../support/tempdir.h"

#include "okno/extract.h"
#include "okno/mem.h"
#include "okno/time.h"
#include "okno/zone.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* 2026-03-10T14:03:20Z, the beginning of the first recording. */
#define T0 INT64_C(1773151400000000)
#define SECOND INT64_C(1000000)
#define FILES "{channel}/%Y-%m-%d/%H-%M-%S.mp4"
#define CHANNEL "shop \xc3\xa9+1" /* a blank, two bytes of UTF-8, a plus */
#define DAY "nvr/" CHANNEL "/2026-03-10/"

static int pids[8];
static size_t pid_count;
static char root[300], host_key[128], user[64];
static int lighttpd_port, apache_port, ftp_port, ftps_port, ssh_port, s3_port;

static void keep(int pid)
{
    pids[pid_count++] = pid;
}

static void record(void)
{
    fixture_ffmpeg(
        "-f lavfi -i testsrc2=s=320x240:r=15:d=12 -c:v libx264 -preset ultrafast -bf 2 "
        "-g 60 -keyint_min 60 -sc_threshold 0 base.mp4");
    fixture_ffmpeg(
        "-i base.mp4 -c copy -f segment -segment_times 4,8 -reset_timestamps 1 "
        "part%%d.mp4");
    static const char *const folders[] = {"nvr", "nvr/" CHANNEL, "nvr/" CHANNEL "/2026-03-10"};
    static const char *const names[] = {DAY "14-03-20.mp4", DAY "14-03-24.mp4", DAY "14-03-28.mp4"};
    for (size_t i = 0; i < OKNO_COUNT(folders); i++)
        assert_int_equal(mkdir(fixture_path(folders[i]), 0755), 0);
    for (size_t i = 0; i < OKNO_COUNT(names); i++) {
        char part[16];
        (void)snprintf(part, sizeof(part), "part%zu.mp4", i);
        fixture_truncate(part, names[i], fixture_size(part));
    }
    /* A folder and another file beside them. */
    assert_int_equal(mkdir(fixture_path(DAY "14-09-00.mp4"), 0755), 0);
    support_text(fixture_path("nvr"), "index of cameras.txt", "one\n");
    (void)snprintf(root, sizeof(root), "%s", fixture_path("nvr"));
}

static void start_lighttpd(void)
{
    char conf[1200];
    lighttpd_port = support_free_port();
    (void)snprintf(conf, sizeof(conf),
                   "server.modules = ( \"mod_dirlisting\", \"mod_webdav\" )\n"
                   "server.bind = \"127.0.0.1\"\nserver.port = %d\n"
                   "server.document-root = \"%s\"\ndir-listing.activate = \"enable\"\n"
                   "$HTTP[\"request-method\"] =~ \"^(PROPFIND|OPTIONS)$\" "
                   "{ webdav.activate = \"enable\" webdav.is-readonly = \"enable\" }\n",
                   lighttpd_port, root);
    support_text(fixture_path(""), "lighttpd.conf", conf);
    const char *const args[] = {"/usr/sbin/lighttpd", "-D", "-f", fixture_path("lighttpd.conf"),
                                NULL};
    keep(support_program_start(args, lighttpd_port, fixture_path("lighttpd.log")));
}

static void start_apache(void)
{
    char conf[2400];
    apache_port = support_free_port();
    (void)snprintf(
        conf, sizeof(conf),
        "ServerRoot %s\nServerName localhost\nListen 127.0.0.1:%d\nPidFile apache.pid\n"
        "Mutex posixsem\nErrorLog apache-error.log\n%s"
        "LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so\n"
        "LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so\n"
        "LoadModule alias_module /usr/lib/apache2/modules/mod_alias.so\n"
        "LoadModule autoindex_module /usr/lib/apache2/modules/mod_autoindex.so\n"
        "LoadModule dav_module /usr/lib/apache2/modules/mod_dav.so\n"
        "LoadModule dav_fs_module /usr/lib/apache2/modules/mod_dav_fs.so\n"
        "DavLockDB davlock\nStartServers 1\nMinSpareThreads 1\nThreadsPerChild 4\n"
        "DocumentRoot %s\nAlias /plain %s\nAlias /dav %s\nAlias /table %s\n"
        "<Directory />\nOptions +Indexes\nRequire all granted\n</Directory>\n"
        "<Location /dav>\nDav On\n</Location>\n"
        "<Location />\nIndexOptions FancyIndexing\n</Location>\n"
        "<Location /table>\nIndexOptions FancyIndexing HTMLTable NameWidth=8\n</Location>\n"
        "<Location /plain>\nIndexOptions -FancyIndexing\n</Location>\n",
        fixture_path(""), apache_port, geteuid() == 0 ? "User www-data\nGroup www-data\n" : "",
        root, root, root, root);
    support_text(fixture_path(""), "apache.conf", conf);
    (void)chmod(fixture_path(""), 0755); /* for its workers, when this runs as root */
    const char *const args[] = {"/usr/sbin/apache2", "-X", "-f", fixture_path("apache.conf"), NULL};
    keep(support_program_start(args, apache_port, fixture_path("apache.log")));
}

static void make_certificate(void)
{
    support_certificate(fixture_path("."));
    okno_autofree char *both = fixture_output("cat", "key.pem cert.pem");
    support_text(fixture_path(""), "tls.pem", both);
}

/* Logins: pyftpdlib, as vsftpd lets only its root look at passwords. */
static void start_ftp(void)
{
    char number[16];
    ftp_port = support_free_port();
    (void)snprintf(number, sizeof(number), "%d", ftp_port);
    const char *const args[] = {
        "/usr/bin/python3", "tests/support/ftp.py", number, root, "anna", "secret", NULL};
    keep(support_program_start(args, ftp_port, fixture_path("ftp.log")));
}

static void start_vsftpd(void)
{
    char conf[1600];
    ftps_port = support_free_port();
    (void)snprintf(conf, sizeof(conf),
                   "listen=YES\nbackground=NO\nlisten_address=127.0.0.1\nlisten_port=%d\n"
                   "run_as_launching_user=YES\nanonymous_enable=YES\nanon_root=%s\n"
                   "no_anon_password=YES\nsecure_chroot_dir=%s\nssl_enable=YES\n"
                   "allow_anon_ssl=YES\nforce_anon_data_ssl=YES\nforce_anon_logins_ssl=YES\n"
                   "rsa_cert_file=%s\nssl_ciphers=HIGH\nseccomp_sandbox=NO\n",
                   ftps_port, root, fixture_path("empty"), fixture_path("tls.pem"));
    assert_int_equal(mkdir(fixture_path("empty"), 0555), 0);
    support_text(fixture_path(""), "vsftpd.conf", conf);
    const char *const args[] = {"/usr/sbin/vsftpd", fixture_path("vsftpd.conf"), NULL};
    keep(support_program_start(args, ftps_port, fixture_path("vsftpd.log")));
}

static void start_ssh(void)
{
    char conf[1200];
    char key[300];
    ssh_port = support_free_port();
    (void)snprintf(key, sizeof(key), "%s", fixture_path("host_key"));
    const char *const host[] = {
        "/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key, NULL};
    assert_int_equal(support_program_run(host), 0);
    const char *const own[] = {
        "/usr/bin/ssh-keygen",    "-q", "-t", "ecdsa", "-N", "", "-m", "PEM", "-f",
        fixture_path("user_key"), NULL};
    assert_int_equal(support_program_run(own), 0);
    okno_autofree char *print = fixture_output("ssh-keygen", "-l -f host_key.pub");
    assert_int_equal(sscanf(print, "%*s %127s", host_key), 1);
    okno_autofree char *name = fixture_output("id", "-un");
    assert_int_equal(sscanf(name, "%63s", user), 1);
    if (geteuid() == 0)
        (void)mkdir("/run/sshd", 0755); /* its package makes it at boot */
    (void)snprintf(conf, sizeof(conf),
                   "Port %d\nListenAddress 127.0.0.1\nHostKey %s\nPidFile none\nUsePAM no\n"
                   "AuthorizedKeysFile %s.pub\nStrictModes no\nPasswordAuthentication no\n"
                   "KbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n"
                   "Subsystem sftp internal-sftp -R\n",
                   ssh_port, key, fixture_path("user_key"));
    support_text(fixture_path(""), "sshd.conf", conf);
    const char *const args[] = {"/usr/sbin/sshd",          "-D", "-e", "-f",
                                fixture_path("sshd.conf"), NULL};
    keep(support_program_start(args, ssh_port, fixture_path("sshd.log")));
}

static void start_s3(void)
{
    char number[16];
    s3_port = support_free_port();
    (void)snprintf(number, sizeof(number), "%d", s3_port);
    const char *const args[] = {"/usr/bin/python3", "tests/support/s3.py", number,  root,
                                "AKIATEST",         "wJalr/XUtn+FEMI",     "video", NULL};
    keep(support_program_start(args, s3_port, fixture_path("s3.log")));
}

static struct support_nginx nginx;

static int start(void **state)
{
    int rc = fixture_begin(state);
    if (rc < 0)
        return rc;
    record();
    make_certificate();
    support_nginx_start(&nginx, root, NULL);
    start_lighttpd();
    start_apache();
    start_ftp();
    start_vsftpd();
    start_ssh();
    start_s3();
    return 0;
}

static int stop(void **state)
{
    for (size_t i = 0; i < pid_count; i++)
        support_program_stop(pids[i]);
    support_nginx_stop(&nginx);
    return fixture_end(state);
}

/* --- one clip through all of them --- */

static int clip(const char *url, const char *options, const char *login, const char *password,
                const char *out, struct okno_err *err)
{
    OKNO_AUTO(okno_archive) *archive = NULL;
    struct okno_extract_result result = {0};
    const struct okno_archive_config config = {.archive = "nvr",
                                               .kind = "dir",
                                               .url = url,
                                               .files = FILES,
                                               .time_zone = "UTC",
                                               .user = login,
                                               .password = password,
                                               .options = options,
                                               .deadline_us = 10 * SECOND};
    int rc = okno_archive_open(&config, &archive, err);
    const struct okno_extract_camera camera = {.archive = archive, .channel = CHANNEL};
    (void)unlink(fixture_path(out));
    if (rc == 0)
        rc = okno_extract_clip(&camera, T0 + 2 * SECOND, T0 + 10 * SECOND, false, fixture_path(out),
                               &result, err);
    if (rc == 0)
        assert_int_equal(result.media.gaps.len, 0);
    okno_extract_result_free(&result);
    return rc;
}

static void assert_same_as_local(const char *url, const char *options, const char *login,
                                 const char *password)
{
    struct okno_err err = {0};
    if (clip(root, "", "", "", "local.mp4", &err) < 0)
        fail_msg("%s", err.text);
    if (clip(url, options, login, password, "far.mp4", &err) < 0)
        fail_msg("%s (%s): %s", url, options, err.text);
    okno_autofree char *differs = fixture_output("sha256sum", "local.mp4 far.mp4");
    if (strncmp(differs, strchr(differs, '\n') + 1, 64) != 0)
        fail_msg("%s: another clip", url);
}

static const char *at_port(const char *scheme, int port, const char *below)
{
    static char url[600];
    (void)snprintf(url, sizeof(url), "%s://127.0.0.1:%d%s", scheme, port, below);
    return url;
}

static void nginx_lists_as_json(void **state)
{
    (void)state;
    assert_same_as_local(nginx.url, "", "", "");
}

static void lighttpd_lists_as_a_page_and_by_webdav(void **state)
{
    (void)state;
    assert_same_as_local(at_port("http", lighttpd_port, ""), "", "", "");
    assert_same_as_local(at_port("http", lighttpd_port, "/"), "listing=webdav", "", "");
}

static void apache_lists_as_pages_of_all_kinds_and_by_webdav(void **state)
{
    (void)state;
    assert_same_as_local(at_port("http", apache_port, ""), "", "", "");
    assert_same_as_local(at_port("http", apache_port, "/plain"), "listing=html", "", "");
    assert_same_as_local(at_port("http", apache_port, "/table"), "", "", "");
    assert_same_as_local(at_port("http", apache_port, "/dav"), "listing=webdav", "", "");
}

static void ftp_lists_and_reads_parts(void **state)
{
    (void)state;
    struct okno_err err = {0};
    assert_same_as_local(at_port("ftp", ftp_port, ""), "", "anna", "secret");
    assert_int_equal(clip(at_port("ftp", ftp_port, ""), "", "anna", "wrong", "x.mp4", &err),
                     OKNO_ARCHIVE_AUTH);
    assert_null(strstr(err.text, "wrong"));
    err = (struct okno_err){0};
    assert_int_equal(
        clip(at_port("ftp", ftp_port, "/elsewhere"), "", "anna", "secret", "x.mp4", &err),
        OKNO_ARCHIVE_REFUSED);
}

static void ftp_over_tls_is_verified(void **state)
{
    (void)state;
    struct okno_err err = {0};
    char trusted[600];
    const char *url = at_port("ftp", ftps_port, "");
    (void)snprintf(trusted, sizeof(trusted), "starttls=yes ca=%s", fixture_path("cert.pem"));
    assert_same_as_local(url, trusted, "", "");
    assert_same_as_local(url, "starttls=yes tls=insecure", "", "");
    assert_int_equal(clip(url, "starttls=yes", "", "", "x.mp4", &err), OKNO_PROTOCOL);
    assert_non_null(strstr(err.text, "trusted"));
}

static void sftp_knows_its_host(void **state)
{
    (void)state;
    struct okno_err err = {0};
    char options[800];
    char url[600];
    (void)snprintf(url, sizeof(url), "%s", at_port("sftp", ssh_port, root));
    (void)snprintf(options, sizeof(options), "hostkey=%s key_file=%s", host_key,
                   fixture_path("user_key"));
    assert_same_as_local(url, options, user, "");
    (void)snprintf(options, sizeof(options), "hostkey=SHA256:%043d key_file=%s", 0,
                   fixture_path("user_key"));
    assert_int_equal(clip(url, options, user, "", "x.mp4", &err), OKNO_PROTOCOL);
    err = (struct okno_err){0};
    (void)snprintf(options, sizeof(options), "hostkey=%s key_file=%s", host_key,
                   fixture_path("host_key"));
    assert_int_equal(clip(url, options, user, "", "x.mp4", &err), OKNO_ARCHIVE_AUTH);
    err = (struct okno_err){0};
    assert_int_equal(clip(url, "", user, "", "x.mp4", &err), OKNO_INVALID);
    assert_string_equal(err.field, "options");
}

static void a_bucket_is_listed_page_by_page_with_signatures(void **state)
{
    (void)state;
    struct okno_err err = {0};
    char options[200];
    (void)snprintf(options, sizeof(options), "endpoint=http://127.0.0.1:%d region=eu-test-1",
                   s3_port);
    assert_same_as_local("s3://video", options, "AKIATEST", "wJalr/XUtn+FEMI");
    assert_int_equal(clip("s3://video", options, "AKIATEST", "wJalr/XUtn+FEMJ", "x.mp4", &err),
                     OKNO_ARCHIVE_AUTH);
    assert_null(strstr(err.text, "XUtn"));
    err = (struct okno_err){0};
    assert_int_equal(clip("s3://others", options, "AKIATEST", "wJalr/XUtn+FEMI", "x.mp4", &err),
                     OKNO_ARCHIVE_REFUSED);
    err = (struct okno_err){0};
    /* By the bucket's own host name. */
    (void)snprintf(options, sizeof(options),
                   "endpoint=http://localhost:%d region=eu-test-1 style=virtual", s3_port);
    assert_same_as_local("s3://video", options, "AKIATEST", "wJalr/XUtn+FEMI");
}

static void deny(const char *code, const char *message)
{
    char path[sizeof(root) + 16];
    (void)snprintf(path, sizeof(path), "%s/denied", root);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fprintf(file, "%s\n%s\n", code, message) > 0);
    assert_int_equal(fclose(file), 0);
}

static void an_object_that_is_refused_says_why_and_what_to_do(void **state)
{
    (void)state;
    static const struct {
        const char *code, *message;
        int rc;
        const char *said[2];
    } rows[] = {
        {"AccessDenied",
         "Access Denied",
         OKNO_ARCHIVE_AUTH,
         {"may not read this object: it needs s3:GetObject", "(AccessDenied: Access Denied)"}},
        {"InvalidObjectState",
         "The operation is not valid for the object's storage class",
         OKNO_ARCHIVE_REFUSED,
         {"cold storage: restore it there", "valid for the object's storage class)"}},
        {"AccountProblem",
         "There is a problem with your account",
         OKNO_ARCHIVE_AUTH,
         {"forbidden (403); the store says AccountProblem: There is a problem", ".mp4"}},
        {"AccessDenied", "\033[31mred", OKNO_ARCHIVE_AUTH, {"(AccessDenied)", "s3:GetObject"}},
    };
    char options[200];
    char path[sizeof(root) + 16];
    (void)snprintf(options, sizeof(options), "endpoint=http://127.0.0.1:%d region=eu-test-1",
                   s3_port);
    (void)snprintf(path, sizeof(path), "%s/denied", root);
    for (size_t i = 0; i < OKNO_COUNT(rows); i++) {
        struct okno_err err = {0};
        deny(rows[i].code, rows[i].message);
        int rc = clip("s3://video", options, "AKIATEST", "wJalr/XUtn+FEMI", "x.mp4", &err);
        (void)unlink(path);
        for (int k = 0; k < 2; k++)
            if (!strstr(err.text, rows[i].said[k]))
                fail_msg("\"%s\" is not in \"%s\"", rows[i].said[k], err.text);
        assert_int_equal(rc, rows[i].rc);
        assert_null(strstr(err.text, "XUtn"));
    }
}

/* A week of minutes in one folder, over the night that has an hour twice. */
#define WEEK INT64_C(1792704000000000) /* 2026-10-23T00:00:00Z */
#define MINUTE INT64_C(60000000)

static void record_week(const char *folder)
{
    OKNO_AUTO(okno_zone) *zone = NULL;
    char name[800];
    assert_int_equal(okno_zone_open("Europe/Berlin", &zone, NULL), 0);
    for (int i = 0; i < 10000; i++) {
        struct okno_civil c;
        okno_zone_to_local(zone, WEEK + i * MINUTE, &c);
        const struct timespec ended = {.tv_sec = WEEK / 1000000 + (i + 1) * 60};
        (void)snprintf(name, sizeof(name), "%s/till-%04d%02d%02d-%02d%02d%02d.ts", folder, c.year,
                       c.month, c.day, c.hour, c.minute, c.second);
        int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
        assert_true(fd >= 0 && write(fd, "x", 1) == 1);
        assert_int_equal(futimens(fd, (const struct timespec[]){ended, ended}), 0);
        close(fd);
    }
}

static struct okno_archive *week_at(const char *url, const char *options, const char *login)
{
    struct okno_archive *archive = NULL;
    struct okno_err err = {0};
    const struct okno_archive_config config = {.archive = "nvr",
                                               .kind = "dir",
                                               .url = url,
                                               .files = "{channel}-%Y%m%d-%H%M%S.ts",
                                               .time_zone = "Europe/Berlin",
                                               .user = login ? "AKIATEST" : "",
                                               .password = login ? login : "",
                                               .options = options};
    if (okno_archive_open(&config, &archive, &err) < 0)
        fail_msg("%s", err.text);
    return archive;
}

static int lists_asked(void)
{
    char line[16];
    int count = 0;
    okno_autofclose FILE *log = fopen(fixture_path("week.log"), "re");
    while (log && fgets(line, sizeof(line), log))
        count += strcmp(line, "list\n") == 0;
    return count;
}

static void a_bucket_of_ten_thousand_names_is_listed_from_the_time_wanted(void **state)
{
    (void)state;
    /* Days into the week, and how many minutes of it. */
    static const struct {
        double days;
        int minutes;
    } windows[] = {{6.5, 5},  {0, 10},     {2.0, 90}, {2.02, 3},
                   {3.3, 60}, {6.93, 300}, {-3, 30},  {9, 9}};
    char folder[600], number[16], options[100];
    int port = support_free_port();
    (void)snprintf(folder, sizeof(folder), "%s", fixture_path("week"));
    assert_int_equal(mkdir(folder, 0700), 0);
    record_week(folder);
    (void)snprintf(number, sizeof(number), "%d", port);
    const char *const args[] = {"/usr/bin/python3",
                                "tests/support/s3.py",
                                number,
                                folder,
                                "AKIATEST",
                                "secret",
                                "week",
                                "1000",
                                NULL};
    int pid = support_program_start(args, port, fixture_path("week.log"));
    (void)snprintf(options, sizeof(options), "endpoint=http://127.0.0.1:%d region=eu-test-1", port);
    struct okno_archive *local = week_at(folder, "", NULL);
    for (size_t i = 0; i < OKNO_COUNT(windows); i++) {
        struct okno_archive *bucket = week_at("s3://week", options, "secret");
        struct okno_err err = {0};
        OKNO_AUTO_VEC(okno_piece_vec) here = {0};
        OKNO_AUTO_VEC(okno_piece_vec) there = {0};
        int64_t from = WEEK + (int64_t)(windows[i].days * 86400e6);
        int64_t to = from + windows[i].minutes * MINUTE;
        int before = lists_asked();
        assert_int_equal(okno_archive_pieces(local, "till", from, to, &here, &err), 0);
        if (okno_archive_pieces(bucket, "till", from, to, &there, &err) < 0)
            fail_msg("%s", err.text);
        assert_int_equal(here.len, there.len);
        assert_true(here.len > 0 || windows[i].days < 0 || windows[i].days > 7);
        for (size_t k = 0; k < here.len; k++) {
            assert_string_equal(here.items[k].name, there.items[k].name);
            assert_int_equal(here.items[k].from_us, there.items[k].from_us);
            assert_int_equal(here.items[k].to_us, there.items[k].to_us);
            assert_int_equal(here.items[k].flags, there.items[k].flags);
        }
        int asked = lists_asked() - before;
        if (asked < 1 || asked > 2)
            fail_msg("%.2f days into the week: %d lists", windows[i].days, asked);
        okno_archive_close(bucket);
    }
    okno_archive_close(local);
    support_program_stop(pid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nginx_lists_as_json),
        cmocka_unit_test(lighttpd_lists_as_a_page_and_by_webdav),
        cmocka_unit_test(apache_lists_as_pages_of_all_kinds_and_by_webdav),
        cmocka_unit_test(ftp_lists_and_reads_parts),
        cmocka_unit_test(ftp_over_tls_is_verified),
        cmocka_unit_test(sftp_knows_its_host),
        cmocka_unit_test(a_bucket_is_listed_page_by_page_with_signatures),
        cmocka_unit_test(an_object_that_is_refused_says_why_and_what_to_do),
        cmocka_unit_test(a_bucket_of_ten_thousand_names_is_listed_from_the_time_wanted),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
