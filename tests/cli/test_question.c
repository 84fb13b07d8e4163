#define _GNU_SOURCE
/* okno question prompt with real sounds and films, and with files that only look like some. */
#include "../survey/store.h"

#include "../audit/run_okno.h"
#include "../support/tempdir.h"

static struct ran ran;
static char *folder;

#define OKNO_RUN(store, ...) RUN_OKNO(&ran, "", "--data", (store)->dir, __VA_ARGS__)

static int open_with_question(void **state)
{
    int rc = store_open(state);
    struct store *store = *state;
    put(store,
        "INSERT INTO questions (import, question, point, valid_from, kind, text, window_us)"
        " VALUES (1, 'q1', 'p1', 0, 'personnel', 'Pleased?', 15000000)");
    folder = support_tempdir();
    return rc;
}

static int close_all(void **state)
{
    support_tempdir_remove(folder);
    return store_close(state);
}

/* Two and a half seconds of sound (and film, where the name is one's) by ffmpeg. */
static const char *make(const char *name, const char *codec)
{
    static char path[200];
    bool film = strstr(name, "mp4") || strstr(name, "film");
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    const char *args[] = {"ffmpeg",
                          "-v",
                          "error",
                          "-f",
                          "lavfi",
                          "-i",
                          film ? "testsrc2=s=64x48:r=10:d=2.5" : "sine=d=2.5",
                          film ? "-c:v" : "-c:a",
                          codec,
                          path,
                          NULL};
    pid_t pid = 0;
    int status = 0;
    assert_int_equal(posix_spawnp(&pid, "ffmpeg", NULL, NULL, (char *const *)(void *)args, environ),
                     0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    return path;
}

static void how_long_it_plays_is_read_from_any_sound_or_film(void **state)
{
    struct store *store = *state;
    static const char *const files[][3] = {
        {"a.wav", "pcm_s16le", "audio/wav"},  {"a.mp3", "libmp3lame", "audio/mpeg"},
        {"a.ogg", "libvorbis", "audio/ogg"},  {"b.ogg", "libopus", "audio/ogg"},
        {"a.m4a", "aac", "audio/mp4"},        {"a.mp4", "libx264", "video/mp4"},
        {"film.webm", "libvpx", "video/webm"}};
    for (size_t i = 0; i < OKNO_COUNT(files); i++) {
        OKNO_RUN(store, "question", "prompt", "--question", "q1", make(files[i][0], files[i][1]));
        if (ran.exit_code != 0)
            fail_msg("%s: %s", files[i][0], ran.err);
        long us = strtol(get(store,
                             "SELECT duration_us FROM question_prompts ORDER BY valid_from "
                             "DESC LIMIT 1"),
                         NULL, 10);
        if (us < 2499000 || us > 2560000)
            fail_msg("%s: %ld", files[i][0], us);
        assert_string_equal(get(store,
                                "SELECT media_type FROM question_prompts JOIN prompts USING "
                                "(sha256) ORDER BY valid_from DESC LIMIT 1"),
                            files[i][2]);
    }
}

static void what_the_user_says_goes_before_the_file(void **state)
{
    struct store *store = *state;
    OKNO_RUN(store, "question", "prompt", "--question", "q1", "--seconds", "4",
             make("a.wav", "pcm_s16le"));
    assert_int_equal(ran.exit_code, 0);
    assert_string_equal(get(store, "SELECT duration_us FROM question_prompts"), "4000000");
    assert_string_equal(get(store, "SELECT max(window_us) FROM questions"), "19000000");
}

/* First bytes of a kind do not make a file of it: a browser that sniffs must find nothing else. */
static void files_that_only_look_like_sounds_are_refused(void **state)
{
    struct store *store = *state;
    static const struct {
        const char *bytes;
        size_t len;
        const char *said;
    } files[] = {
        {"\xff\xfb<html><script>alert(1)</script>", 33, "not a readable recording"},
        {"ID3\4\0\0\0\0\0\0<html><script>alert(1)</script>", 41, "the file"},
        {"RIFF\0\0\0\0WAVE<script>alert(1)</script>", 37, "the file"},
        {"OggS\0\2<svg onload=alert(1)>aaaaaaaaaaaaaaaaaaaaaaaaaa", 54, "the file"},
        {"\0\0\0\x20"
         "ftypisom<html>aaaaaaaaaaaaaaaaaaaaaaaaaa",
         44, "the file"},
        {"\x1a\x45\xdf\xa3<html><script>alert(1)</script>", 35, "the file"},
        {"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", 59, "by its first bytes"},
        {"GIF89a/*<script>*/=1;alert(1)", 29, "by its first bytes"},
        {"", 0, "0 bytes"}};
    char path[200];
    (void)snprintf(path, sizeof(path), "%s/prompt", folder);
    for (size_t i = 0; i < OKNO_COUNT(files); i++) {
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        assert_int_equal(fwrite(files[i].bytes, 1, files[i].len, file), files[i].len);
        assert_int_equal(fclose(file), 0);
        OKNO_RUN(store, "question", "prompt", "--question", "q1", "--seconds", "1", path);
        if (ran.exit_code == 0 || !strstr(ran.err, files[i].said))
            fail_msg("%zu: exit %d, %s", i, ran.exit_code, ran.err);
    }
    assert_string_equal(get(store, "SELECT count(*) FROM prompts"), "0");
}

static void a_file_without_an_end_or_none_at_all_is_told(void **state)
{
    struct store *store = *state;
    OKNO_RUN(store, "question", "prompt", "--question", "q1", "/dev/zero");
    assert_int_not_equal(ran.exit_code, 0);
    assert_non_null(strstr(ran.err, "bytes allowed here"));
    OKNO_RUN(store, "question", "prompt", "--question", "q1", "/nowhere/ask.mp3");
    assert_int_not_equal(ran.exit_code, 0);
    assert_non_null(strstr(ran.err, "cannot open"));
    OKNO_RUN(store, "question", "prompt", "--question", "q1", folder);
    assert_int_not_equal(ran.exit_code, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_with_question, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(how_long_it_plays_is_read_from_any_sound_or_film),
        TEST(what_the_user_says_goes_before_the_file),
        TEST(files_that_only_look_like_sounds_are_refused),
        TEST(a_file_without_an_end_or_none_at_all_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
