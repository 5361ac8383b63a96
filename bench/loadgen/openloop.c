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
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

#include "wire.h"

#define GRACE_NS 10000000000ull    /* how long answers may still come after the last send */
#define TIMER_MARK UINT64_MAX

struct connection {
    int fd;
    int busy;
    uint64_t due;                  /* when the request in flight was due, CLOCK_MONOTONIC */
    struct response answer;
};

static struct requests requests;
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

static void usage(void) {
    fprintf(stderr, "usage: openloop rate PORT CONNECTIONS RATE SECONDS REQUESTS [SAMPLES]\n"
                    "       openloop burst PORT CONNECTIONS REQUESTS\n"
                    "       openloop echo PORT\n");
    exit(2);
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
    response_begin(&c->answer);
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
    const struct request *r = &requests.items[sent++ % requests.count];
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
    if (samples) fprintf(samples, "%llu %llu %d\n", (unsigned long long)c->due, (unsigned long long)(at - c->due), c->answer.status);
    if (c->answer.status < 200 || c->answer.status > 299) bad_status++;
    answered++;
    response_begin(&c->answer);
    set_idle(index);
}

static void receive(size_t index) {
    static char bytes[READ_SIZE];
    struct connection *c = &connections[index];
    ssize_t count = recv(c->fd, bytes, sizeof bytes, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) { replace(index); return; }
    int state = c->busy ? response_feed(&c->answer, bytes, (size_t)count, NULL, NULL) : -1;
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

static void report(uint64_t start, uint64_t planned, double send_all_us) {
    qsort(latencies, latency_count, sizeof *latencies, ascending);
    double seconds = last_answer > start ? (double)(last_answer - start) / 1e9 : 0;
    printf("{\"planned\":%llu,\"sent\":%llu,\"answered\":%llu,\"bad_status\":%llu,\"broken\":%llu,\"unanswered\":%llu,"
           "\"unsent\":%llu,\"seconds\":%.4f,\"p50\":%.1f,\"p95\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"max\":%.1f,"
           "\"send_all_us\":%.1f,\"first_answer_us\":%.1f}\n",
           (unsigned long long)planned, (unsigned long long)sent, (unsigned long long)answered,
           (unsigned long long)bad_status, (unsigned long long)broken,
           (unsigned long long)(sent - answered - broken), (unsigned long long)(planned - sent), seconds,
           percentile(latencies, latency_count, .50), percentile(latencies, latency_count, .95),
           percentile(latencies, latency_count, .99), percentile(latencies, latency_count, .999),
           percentile(latencies, latency_count, 1), send_all_us,
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
    raise_file_limit();
    port = atoi(words[2]);
    if (strcmp(words[1], "echo") == 0) {
        run_echo();
    } else if (strcmp(words[1], "rate") == 0 && count >= 7) {
        requests = load_requests(words[6]);
        if (count > 7 && !(samples = fopen(words[7], "w"))) fail(words[7]);
        open_all((size_t)atol(words[3]));
        run_rate(atof(words[4]), atof(words[5]));
    } else if (strcmp(words[1], "burst") == 0 && count == 5) {
        requests = load_requests(words[4]);
        open_all((size_t)atol(words[3]));
        run_burst();
    } else {
        usage();
    }
    return 0;
}
