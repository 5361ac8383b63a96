/*
 * An open-loop HTTP/1.1 load generator.
 *
 * A closed loop (wrk) sends the next request when the last answer came, so a server that stalls
 * is asked less often and its stall is counted once. Here requests are due at fixed times whatever
 * the server does, and a latency is counted from the time at which the request was DUE. A request
 * that had to wait for a free connection, or for this program to wake up, has that wait in its
 * figure: the figures err on the high side, never on the low one.
 *
 *   openloop rate  PORT CONNECTIONS RATE SECONDS REQUESTS [SAMPLES]
 *   openloop burst PORT CONNECTIONS REQUESTS
 *   openloop echo  PORT
 *
 * `rate` sends RATE requests per second, evenly spaced. `burst` opens all connections first and
 * then sends one request on each at once. `echo` answers a constant, so that the capacity of the
 * generator itself can be measured. It only ever speaks to 127.0.0.1.
 *
 * REQUESTS holds whole requests, each as its length in decimal, a newline, and its bytes; they are
 * used in turn. SAMPLES receives "due_ns latency_ns status" per answer, due on CLOCK_MONOTONIC.
 * The result is one JSON object on stdout; times in microseconds.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define HEAD_LIMIT 16384           /* longest response head or chunk line accepted */
#define READ_SIZE 65536
#define GRACE_NS 10000000000ull    /* how long answers may still come after the last send */
#define CONNECT_BATCH 200          /* below every listen backlog in use, so that none is dropped */
#define TIMER_MARK UINT64_MAX

enum part { HEAD, BODY, CHUNK_SIZE, CHUNK_DATA, CHUNK_END, TRAILER };

struct connection {
    int fd;
    int busy;
    uint64_t due;                  /* when the request in flight was due, CLOCK_MONOTONIC */
    enum part part;
    int status;
    uint64_t left;                 /* bytes of body or chunk still to come */
    size_t held;                   /* bytes in line[] */
    char line[HEAD_LIMIT];         /* the head, or the current chunk-size or trailer line */
};

struct request { const char *bytes; size_t length; };

static struct request *requests;
static size_t request_count;
static struct connection *connections;
static size_t connection_count;
static size_t *idle;               /* stack of connections without a request in flight */
static size_t idle_count;
static int epoll;
static int port;

static uint64_t *latencies;
static size_t latency_count;
static uint64_t bad_status, broken, sent, answered;
static uint64_t first_answer, last_answer;
static FILE *samples;

static void fail(const char *what) {
    fprintf(stderr, "openloop: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void usage(void) {
    fprintf(stderr, "usage: openloop rate PORT CONNECTIONS RATE SECONDS REQUESTS [SAMPLES]\n"
                    "       openloop burst PORT CONNECTIONS REQUESTS\n"
                    "       openloop echo PORT\n");
    exit(2);
}

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static void *allocate(size_t count, size_t size) {
    void *memory = calloc(count ? count : 1, size);
    if (!memory) fail("memory");
    return memory;
}

static void load_requests(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) fail(path);
    size_t room = 0, length;
    while (fscanf(file, "%zu", &length) == 1) {
        if (fgetc(file) != '\n' || length == 0 || length > 65536) { errno = EINVAL; fail("request file"); }
        char *bytes = allocate(length, 1);
        if (fread(bytes, 1, length, file) != length) { errno = EINVAL; fail("request file is cut short"); }
        if (request_count == room) {
            room = room ? room * 2 : 256;
            requests = realloc(requests, room * sizeof *requests);
            if (!requests) fail("memory");
        }
        requests[request_count++] = (struct request){ bytes, length };
    }
    fclose(file);
    if (request_count == 0) { errno = EINVAL; fail("no requests"); }
}

static struct sockaddr_in loopback(int at_port) {
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)at_port) };
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

/* Blocking connect: the connection count is small or the batch paced, and setup is not measured. */
static void open_connection(size_t index) {
    struct connection *c = &connections[index];
    struct sockaddr_in address = loopback(port);
    int one = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0) fail("socket");
    if (connect(c->fd, (struct sockaddr *)&address, sizeof address) < 0) fail("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (fcntl(c->fd, F_SETFL, O_NONBLOCK) < 0) fail("fcntl");
    struct epoll_event event = { .events = EPOLLIN, .data.u64 = index };
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event) < 0) fail("epoll_ctl");
    c->part = HEAD;
    c->held = 0;
}

static void set_idle(size_t index) {
    connections[index].busy = 0;
    idle[idle_count++] = index;
}

/* The request in flight is lost; it counts as an error and its connection is replaced. */
static void replace(size_t index) {
    struct connection *c = &connections[index];
    close(c->fd);
    int was_busy = c->busy;
    if (was_busy) broken++;
    open_connection(index);
    if (was_busy) set_idle(index);
}

static void send_request(size_t index, uint64_t due) {
    struct connection *c = &connections[index];
    const struct request *r = &requests[sent++ % request_count];
    c->busy = 1;
    c->due = due;
    /* A request is far smaller than an empty send buffer: a short write means a dead peer. */
    if (send(c->fd, r->bytes, r->length, MSG_NOSIGNAL) != (ssize_t)r->length) replace(index);
}

static void finish(size_t index) {
    struct connection *c = &connections[index];
    uint64_t at = now_ns();
    if (!first_answer) first_answer = at;
    last_answer = at;
    latencies[latency_count++] = at - c->due;
    if (samples) fprintf(samples, "%llu %llu %d\n", (unsigned long long)c->due, (unsigned long long)(at - c->due), c->status);
    if (c->status < 200 || c->status > 299) bad_status++;
    answered++;
    c->part = HEAD;
    c->held = 0;
    set_idle(index);
}

/* Finds a header's value inside the head; NULL when it is absent. */
static const char *header(const char *head, const char *name) {
    size_t length = strlen(name);
    for (const char *line = strstr(head, "\r\n"); line; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, length) == 0 && line[length] == ':') {
            line += length + 1;
            while (*line == ' ') line++;
            return line;
        }
    }
    return NULL;
}

/* Reads the head that lies complete in line[]. Returns 1 when the response ends with it, -1 when it is not HTTP. */
static int read_head(struct connection *c) {
    if (sscanf(c->line, "HTTP/1.%*d %d", &c->status) != 1) return -1;
    const char *length = header(c->line, "content-length");
    const char *encoding = header(c->line, "transfer-encoding");
    c->held = 0;
    if (encoding && strncasecmp(encoding, "chunked", 7) == 0) { c->part = CHUNK_SIZE; return 0; }
    if (length) c->left = strtoull(length, NULL, 10);
    else if (c->status == 204 || c->status == 304) c->left = 0;
    else return -1;
    c->part = BODY;
    return c->left == 0;
}

/* Feeds received bytes. Returns 1 when the response is complete, 0 when more must come, -1 when it is malformed. */
static int feed(struct connection *c, const char *bytes, size_t count) {
    size_t at = 0;
    while (at < count) {
        if (c->part == BODY || c->part == CHUNK_DATA) {
            uint64_t take = c->left < count - at ? c->left : count - at;
            at += take;
            c->left -= take;
            if (c->left == 0) {
                if (c->part == BODY) return at == count ? 1 : -1;
                c->part = CHUNK_END;
            }
            continue;
        }
        if (c->held + 1 >= HEAD_LIMIT) return -1;
        c->line[c->held++] = bytes[at++];
        c->line[c->held] = 0;
        if (c->part == HEAD) {
            if (c->held < 4 || memcmp(c->line + c->held - 4, "\r\n\r\n", 4) != 0) continue;
            int ended = read_head(c);
            if (ended) return ended == 1 && at == count ? 1 : -1;
            continue;
        }
        if (c->line[c->held - 1] != '\n') continue;
        size_t length = c->held;
        c->held = 0;
        if (c->part == CHUNK_END) {
            c->part = CHUNK_SIZE;
        } else if (c->part == CHUNK_SIZE) {
            c->left = strtoull(c->line, NULL, 16);
            c->part = c->left ? CHUNK_DATA : TRAILER;
        } else if (length == 2) {
            return at == count ? 1 : -1;
        }
    }
    return 0;
}

static void receive(size_t index) {
    static char bytes[READ_SIZE];
    struct connection *c = &connections[index];
    ssize_t count = recv(c->fd, bytes, sizeof bytes, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) { replace(index); return; }
    int state = c->busy ? feed(c, bytes, (size_t)count) : -1;
    if (state < 0) replace(index);
    else if (state == 1) finish(index);
}

/* Handles what has arrived, waiting at most `timeout_ms`. */
static void poll_once(int timeout_ms, int timer) {
    struct epoll_event events[256];
    int count = epoll_wait(epoll, events, 256, timeout_ms);
    if (count < 0 && errno != EINTR) fail("epoll_wait");
    for (int i = 0; i < count; i++) {
        if (events[i].data.u64 == TIMER_MARK) {
            uint64_t expirations;
            if (read(timer, &expirations, sizeof expirations) < 0 && errno != EAGAIN) fail("timer");
        } else {
            receive((size_t)events[i].data.u64);
        }
    }
}

static void open_all(size_t count) {
    connection_count = count;
    connections = allocate(count, sizeof *connections);
    idle = allocate(count, sizeof *idle);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) fail("epoll_create1");
    for (size_t i = 0; i < count; i++) {
        open_connection(i);
        set_idle(i);
        if (i % CONNECT_BATCH == CONNECT_BATCH - 1) nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
    }
}

static int ascending(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static double percentile(double share) {
    if (!latency_count) return 0;
    size_t at = (size_t)(share * (double)latency_count);
    return (double)latencies[at < latency_count ? at : latency_count - 1] / 1000.0;
}

static void report(uint64_t start, uint64_t planned, double send_all_us) {
    qsort(latencies, latency_count, sizeof *latencies, ascending);
    double seconds = last_answer > start ? (double)(last_answer - start) / 1e9 : 0;
    printf("{\"planned\":%llu,\"sent\":%llu,\"answered\":%llu,\"bad_status\":%llu,\"broken\":%llu,\"unanswered\":%llu,"
           "\"unsent\":%llu,\"seconds\":%.4f,\"p50\":%.1f,\"p95\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"max\":%.1f,"
           "\"send_all_us\":%.1f,\"first_answer_us\":%.1f}\n",
           (unsigned long long)planned, (unsigned long long)sent, (unsigned long long)answered,
           (unsigned long long)bad_status, (unsigned long long)broken,
           (unsigned long long)(sent - answered - broken), (unsigned long long)(planned - sent), seconds,
           percentile(.50), percentile(.95), percentile(.99), percentile(.999), percentile(1), send_all_us,
           first_answer ? (double)(first_answer - start) / 1000.0 : 0);
    if (samples && fclose(samples)) fail("samples");
}

static void run_rate(double rate, double seconds) {
    uint64_t planned = (uint64_t)(rate * seconds);
    if (planned == 0 || planned > 50000000) usage();
    latencies = allocate(planned, sizeof *latencies);
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    struct epoll_event event = { .events = EPOLLIN, .data.u64 = TIMER_MARK };
    if (timer < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &event) < 0) fail("timer");
    uint64_t start = now_ns() + 20000000, end = start + (uint64_t)(seconds * 1e9) + GRACE_NS;
    uint64_t armed = UINT64_MAX;
    while (answered + broken < planned) {
        uint64_t now = now_ns();
        if (now > end) break;
        while (sent < planned && idle_count) {
            uint64_t due = start + (uint64_t)((double)sent * 1e9 / rate);
            if (due > now) {
                if (armed != due) {
                    struct itimerspec at = { .it_value = { .tv_sec = (time_t)(due / 1000000000ull), .tv_nsec = (long)(due % 1000000000ull) } };
                    if (timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, NULL) < 0) fail("timer");
                    armed = due;
                }
                break;
            }
            send_request(idle[--idle_count], due);
        }
        poll_once(100, timer);
    }
    report(start, planned, 0);
}

static void run_burst(void) {
    latencies = allocate(connection_count, sizeof *latencies);
    idle_count = 0; /* all are taken at once, and each puts itself back on the stack when answered */
    uint64_t start = now_ns(), end = start + 60000000000ull;
    for (size_t i = 0; i < connection_count; i++) {
        send_request(i, now_ns());
        if (i % 64 == 63) poll_once(0, -1);
    }
    double send_all_us = (double)(now_ns() - start) / 1000.0;
    while (answered + broken < connection_count && now_ns() < end) poll_once(100, -1);
    report(start, connection_count, send_all_us);
}

/* One constant answer per read: enough for clients that never pipeline, which is all that we have. */
static void run_echo(void) {
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n";
    struct sockaddr_in address = loopback(port);
    socklen_t length = sizeof address;
    int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0) fail("socket");
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, length) < 0 || listen(listener, 4096) < 0) fail("listen");
    if (getsockname(listener, (struct sockaddr *)&address, &length) < 0) fail("getsockname");
    printf("listening on http://127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = { .events = EPOLLIN, .data.fd = listener };
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) < 0) fail("epoll");
    for (;;) {
        struct epoll_event events[256];
        int count = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < count; i++) {
            static char bytes[READ_SIZE];
            int fd = events[i].data.fd;
            if (fd == listener) {
                int peer = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
                if (peer < 0) continue;
                setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                struct epoll_event added = { .events = EPOLLIN, .data.fd = peer };
                if (epoll_ctl(epoll, EPOLL_CTL_ADD, peer, &added) < 0) close(peer);
            } else if (recv(fd, bytes, sizeof bytes, 0) <= 0 || send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL) < 0) {
                close(fd);
            }
        }
    }
}

int main(int count, char **words) {
    if (count < 3) usage();
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    port = atoi(words[2]);
    if (strcmp(words[1], "echo") == 0) {
        run_echo();
    } else if (strcmp(words[1], "rate") == 0 && count >= 7) {
        load_requests(words[6]);
        if (count > 7 && !(samples = fopen(words[7], "w"))) fail(words[7]);
        open_all((size_t)atol(words[3]));
        run_rate(atof(words[4]), atof(words[5]));
    } else if (strcmp(words[1], "burst") == 0 && count == 5) {
        load_requests(words[4]);
        open_all((size_t)atol(words[3]));
        run_burst();
    } else {
        usage();
    }
    return 0;
}
