/* embed: turn files into C source at build time.
 *
 *   embed sql FILE...           named statements and migrations
 *                               -> okno_sql_statements, okno_sql_migrations
 *   embed files SYMBOL FILE...  any files -> SYMBOL, e.g. okno_ui_files; each ends in a NUL byte
 *                               that its length does not count
 *
 * A statement starts with a line `-- name: room.verb_noun`. A file whose name starts with four
 * digits is a migration: each has a number of its own, and a new one the highest. */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *read_all(const char *path, size_t *ret_len)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        exit(1);
    }
    size_t cap = 1U << 16;
    size_t len = 0;
    char *data = malloc(cap);
    size_t got;
    while (data && (got = fread(data + len, 1, cap - len - 1, file)) > 0) {
        len += got;
        if (len + 1 < cap)
            continue;
        char *larger = realloc(data, cap *= 2);
        if (!larger)
            exit(1);
        data = larger;
    }
    if (!data)
        exit(1);
    (void)fclose(file);
    data[len] = '\0';
    *ret_len = len;
    return data;
}

static void print_string(const char *text, size_t len)
{
    putchar('"');
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '\n')
            printf("\\n\"\n\"");
        else if (c == '"' || c == '\\')
            printf("\\%c", c);
        else
            putchar(c);
    }
    putchar('"');
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool is_migration(const char *path)
{
    const char *name = base_name(path);
    for (int i = 0; i < 4; i++)
        if (!isdigit((unsigned char)name[i]))
            return false;
    return true;
}

static void print_statements(const char *path)
{
    static const char mark[] = "-- name: ";
    size_t len;
    char *text = read_all(path, &len);
    char *at = strstr(text, mark);
    while (at) {
        char *name = at + sizeof(mark) - 1;
        size_t name_len = strcspn(name, " \r\n");
        char *body = name + strcspn(name, "\n");
        char *next = strstr(body, mark);
        size_t body_len = next ? (size_t)(next - body) : strlen(body);
        printf("    {\"%.*s\",\n", (int)name_len, name);
        print_string(body, body_len);
        printf("},\n");
        at = next;
    }
    free(text);
}

static int embed_sql(int count, char **paths)
{
    printf(
        "#include \"okno/embedded.h\"\n#include <stddef.h>\n"
        "#pragma GCC diagnostic ignored \"-Woverlength-strings\"\n"
        "const struct okno_sql_text okno_sql_statements[] = {\n");
    for (int i = 0; i < count; i++)
        if (!is_migration(paths[i]))
            print_statements(paths[i]);
    printf("    {NULL, NULL}};\nconst struct okno_sql_text okno_sql_migrations[] = {\n");
    const char *last = "";
    for (int i = 0; i < count; i++) {
        if (!is_migration(paths[i]))
            continue;
        if (strncmp(base_name(paths[i]), last, 4) <= 0) {
            fprintf(stderr, "embed: %s has the number of another migration, or comes behind it\n",
                    paths[i]);
            return 1;
        }
        last = base_name(paths[i]);
        size_t len;
        char *text = read_all(paths[i], &len);
        printf("    {\"%s\",\n", base_name(paths[i]));
        print_string(text, len);
        printf("},\n");
        free(text);
    }
    printf("    {NULL, NULL}};\n");
    return 0;
}

static int embed_files(const char *symbol, int count, char **paths)
{
    printf("#include \"okno/embedded.h\"\n#include <stddef.h>\n");
    size_t *lengths = calloc((size_t)count + 1, sizeof(*lengths));
    if (!lengths)
        return 1;
    for (int i = 0; i < count; i++) {
        char *data = read_all(paths[i], &lengths[i]);
        printf("static const unsigned char file_%d[] = {", i);
        for (size_t j = 0; j < lengths[i]; j++)
            printf("%s%u,", j % 24 == 0 ? "\n" : "", (unsigned char)data[j]);
        printf("0};\n");
        free(data);
    }
    printf("const struct okno_ui_file %s[] = {\n", symbol);
    for (int i = 0; i < count; i++)
        printf("    {\"/%s\", file_%d, %zu},\n", paths[i], i, lengths[i]);
    printf("    {NULL, NULL, 0}};\n");
    free(lengths);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc >= 2 && strcmp(argv[1], "sql") == 0)
        return embed_sql(argc - 2, argv + 2);
    if (argc >= 3 && strcmp(argv[1], "files") == 0)
        return embed_files(argv[2], argc - 3, argv + 3);
    fprintf(stderr, "usage: embed sql FILE... | embed files SYMBOL FILE...\n");
    return 2;
}
