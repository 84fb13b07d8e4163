#define _GNU_SOURCE
#include "confine.h"

#include "okno/mem.h"
#include "okno/sandbox.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

/* Memory, locks, clocks, the end. */
static const int harmless[] = {
    SCMP_SYS(exit_group),   SCMP_SYS(exit),
    SCMP_SYS(brk),          SCMP_SYS(munmap),
    SCMP_SYS(mremap),       SCMP_SYS(madvise),
    SCMP_SYS(futex),        SCMP_SYS(clock_gettime),
    SCMP_SYS(gettimeofday), SCMP_SYS(getrandom),
    SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigaction), SCMP_SYS(restart_syscall),
    SCMP_SYS(sysinfo), /* qsort asks how much memory there is */
    SCMP_SYS(getpid),       SCMP_SYS(gettid),
};

/* Calls on one descriptor only. Standard error is /dev/null: the C library's last words. */
static const struct {
    int call, fd;
} on_fd[] = {
    {SCMP_SYS(sendto), CONFINE_JOB_FD},  {SCMP_SYS(recvfrom), CONFINE_JOB_FD},
    {SCMP_SYS(pread64), CONFINE_OUT_FD}, {SCMP_SYS(pwrite64), CONFINE_OUT_FD},
    {SCMP_SYS(write), CONFINE_OUT_FD},   {SCMP_SYS(lseek), CONFINE_OUT_FD},
    {SCMP_SYS(fsync), CONFINE_OUT_FD},   {SCMP_SYS(write), STDERR_FILENO},
    {SCMP_SYS(writev), STDERR_FILENO},
};

/* What libraries try by themselves and can do without (character set tables, the number of
 * processors, whether a descriptor is a terminal, the machine's name): refused, not deadly. */
static const int refused[] = {
    SCMP_SYS(open),
    SCMP_SYS(openat),
    SCMP_SYS(stat),
    SCMP_SYS(lstat),
    SCMP_SYS(newfstatat),
    SCMP_SYS(access),
    SCMP_SYS(faccessat),
    SCMP_SYS(readlink),
    SCMP_SYS(ioctl),
    SCMP_SYS(fstat),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(uname),
    SCMP_SYS(tgkill), /* abort() goes on to crash */
};

/* In builds with a sanitizer: all that kills. */
static const int deadly[] = {
    SCMP_SYS(socket), SCMP_SYS(socketpair), SCMP_SYS(connect), SCMP_SYS(bind),
    SCMP_SYS(fork),   SCMP_SYS(vfork),      SCMP_SYS(clone),   SCMP_SYS(clone3),
    SCMP_SYS(execve), SCMP_SYS(execveat),   SCMP_SYS(kill),    SCMP_SYS(ptrace),
    SCMP_SYS(unlink), SCMP_SYS(unlinkat),   SCMP_SYS(rename),
};

/* libseccomp refuses names that the architecture lacks; those cannot be called either. */
static bool added(int rc)
{
    return rc == 0 || rc == -EDOM || rc == -EINVAL;
}

static bool rules_strict(scmp_filter_ctx filter)
{
    bool good = true;
    for (size_t i = 0; good && i < OKNO_COUNT(harmless); i++)
        good = added(seccomp_rule_add(filter, SCMP_ACT_ALLOW, harmless[i], 0));
    for (size_t i = 0; good && i < OKNO_COUNT(on_fd); i++)
        good = added(seccomp_rule_add(filter, SCMP_ACT_ALLOW, on_fd[i].call, 1,
                                      SCMP_A0_32(SCMP_CMP_EQ, (uint32_t)on_fd[i].fd)));
    for (size_t i = 0; good && i < OKNO_COUNT(refused); i++)
        good = added(seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), refused[i], 0));
    /* Memory, but none that can be executed. */
    good = good && added(seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                                          SCMP_A2_32(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)));
    return good && added(seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                                          SCMP_A2_32(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)));
}

static bool rules_sanitized(scmp_filter_ctx filter)
{
    bool good = true;
    for (size_t i = 0; good && i < OKNO_COUNT(deadly); i++)
        good = added(seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, deadly[i], 0));
    return good;
}

/* The compiled filter; made once in the host, inherited by the children. */
static struct sock_fprog program;

/* This version of libseccomp writes programs to descriptors only. */
static bool program_take(int fd)
{
    off_t len = lseek(fd, 0, SEEK_END);
    struct sock_filter *code = len > 0 ? malloc((size_t)len) : NULL;
    if (!code || pread(fd, code, (size_t)len, 0) != len) {
        free(code);
        return false;
    }
    program =
        (struct sock_fprog){.len = (unsigned short)((size_t)len / sizeof(*code)), .filter = code};
    return true;
}

static bool program_make(void)
{
    okno_autoclose int fd = memfd_create("okno-filter", MFD_CLOEXEC);
    scmp_filter_ctx filter =
        seccomp_init(CONFINE_SANITIZED ? SCMP_ACT_ALLOW : SCMP_ACT_KILL_PROCESS);
    bool good = fd >= 0 && filter &&
                seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0 &&
                seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2) == 0 &&
                (CONFINE_SANITIZED ? rules_sanitized(filter) : rules_strict(filter)) &&
                seccomp_export_bpf(filter, fd) == 0 && program_take(fd);
    if (filter)
        seccomp_release(filter);
    return good;
}

/* Newer than Debian 12's kernel headers; the kernel says what it knows. */
struct landlock_rules {
    uint64_t fs, net, scoped;
};

/* All rights that version `abi` of landlock can withhold. */
static struct landlock_rules landlock_all(long abi)
{
    static const int fs_bits[] = {13, 14, 15, 15, 16}; /* of versions 1 to 5 */
    size_t known = OKNO_COUNT(fs_bits);
    int bits = fs_bits[(size_t)abi < known ? (size_t)abi - 1 : known - 1];
    return (struct landlock_rules){
        .fs = (UINT64_C(1) << bits) - 1, .net = abi >= 4 ? 3 : 0, .scoped = abi >= 6 ? 3 : 0};
}

static long landlock_abi(void)
{
    return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

/* No rule at all: nothing is left but what is open already. */
static void landlock_enter(void)
{
    long abi = landlock_abi();
    if (abi < 1 || CONFINE_SANITIZED)
        return;
    struct landlock_rules rules = landlock_all(abi);
    size_t size = abi >= 6 ? sizeof(rules) : abi >= 4 ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
    okno_autoclose int fd = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
    if (fd >= 0)
        (void)syscall(SYS_landlock_restrict_self, fd, 0);
}

/* Address space of the program itself, which each child inherits. */
static int64_t own_bytes;

static int64_t own_bytes_read(void)
{
    char text[64] = ""; /* the first number: pages in all */
    FILE *file = fopen("/proc/self/statm", "re");
    long long pages = file && fgets(text, sizeof(text), file) ? strtoll(text, NULL, 10) : 0;
    if (file)
        (void)fclose(file);
    return pages > 0 ? pages * sysconf(_SC_PAGESIZE) : INT64_C(1) << 30;
}

bool confine_prepare(void)
{
    own_bytes = own_bytes_read();
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || !program_make())
        return false;
    landlock_enter();
    return okno_sandbox_support().seccomp;
}

static bool limit(int resource, int64_t most)
{
    struct rlimit rule = {.rlim_cur = (rlim_t)most, .rlim_max = (rlim_t)most};
    return setrlimit((__rlimit_resource_t)resource, &rule) == 0;
}

bool confine_enter(const struct media_limits *limits)
{
    /* Past the soft limit of CPU seconds SIGXCPU says why; the hard one is for a child that ignores
     * it. */
    struct rlimit cpu = {.rlim_cur = (rlim_t)limits->cpu_s, .rlim_max = (rlim_t)limits->cpu_s + 1};
    return setrlimit(RLIMIT_CPU, &cpu) == 0 && limit(RLIMIT_CORE, 0) &&
           limit(RLIMIT_FSIZE, limits->output_bytes) && limit(RLIMIT_NOFILE, CONFINE_FDS) &&
           (CONFINE_SANITIZED || limit(RLIMIT_AS, own_bytes + limits->memory_bytes)) &&
           prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 &&
           syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
}

struct okno_sandbox_support okno_sandbox_support(void)
{
    uint32_t action = SECCOMP_RET_KILL_PROCESS;
    return (struct okno_sandbox_support){
        .seccomp = syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0,
        .landlock = landlock_abi() >= 1};
}
