/*
 * Live event streams (server-sent events), and how long a write takes to reach them.
 *
 *   streams live DIALECT PORT[,WRITE_PORT] STREAMS DEVICES WRITES CONNECTIONS RATE SECONDS [SHARE AWAY_MS]
 *   streams idle DIALECT PORT STREAMS
 *
 * `live` opens all streams, DEVICES of them for each user, and then sends writes, users in turn:
 * RATE per second, evenly spaced, or with RATE 0 as fast as CONNECTIONS writers get answers. Each
 * write carries a name that tells when it was DUE, and a latency runs from then to the moment at
 * which this process, one thread and one clock, has read the whole event. With SHARE, that part of
 * the streams is cut off without a word (RST) in the middle and comes back AWAY_MS later. At the
 * end every acknowledged write is looked for on every stream of its user.
 *
 * `idle` opens all streams, says so, and keeps them; a line on stdin starts a storm: all are cut
 * off at once and come back at once. It ends with stdin.
 *
 * With WRITE_PORT the writes go to another server of the same installation than the streams.
 *
 * DIALECT fairweather: a stream is served when `hello` came, and it comes back with
 * `Last-Event-ID`. In addition the revisions must go on without a gap or a repetition; this counts
 * on writes that are creates. DIALECT pocketbase: the first event names a client, for which a
 * second request subscribes; there is nothing to come back with. A stream that the server itself
 * closes comes back like one that was cut off.
 *
 * STREAMS and WRITES hold whole requests, each as its length in decimal, a newline, and its bytes.
 * STREAMS: one request per stream, with pocketbase two, the second with a client id of 40 `@`.
 * WRITES: one per user, with the name w4-00000000000000000000-00000000 and the coordinates 60.1000
 * and 9.2000, whose last digits are changed so that no user saves one place twice. Results are
 * JSON objects on stdout, one per line; times in microseconds unless their name says otherwise.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

#include "events.h"
#include "ledger.h"
#include "wire.h"

#define SECOND 1000000000ull
#define SERVED_WITHIN (60 * SECOND)   /* opening all streams, and a storm, may take this long */
#define SETTLE (SECOND / 2)           /* between the last greeting and the first write */
#define GRACE (10 * SECOND)           /* how long events may still come after the last write */
#define LINGER (SECOND / 2)           /* how long an event may still come twice */
#define COME_BACK (SECOND / 2)        /* after the server closed a stream by itself */
#define SUBSCRIBERS 16                /* connections for subscriptions where there are no writers */
#define CLIENT_ID 40
#define OPENED_PER_TURN 64            /* between two looks at what has arrived */
#define TIMER_MARK UINT64_MAX
#define STDIN_MARK (UINT64_MAX - 1)
#define LANE_MARK (1ull << 32)

enum state { CLOSED, CONNECTING, ASKED, SERVED };

struct stream {
    int fd;
    enum state state;
    uint64_t reopen_at;            /* while it waits in the queue of those that come back */
    uint64_t asked_at;
    struct response answer;
    struct events events;
    char cursor[72];               /* of the last whole event that carried one */
    uint64_t seq;                  /* its number in the log */
    char client[CLIENT_ID + 1];    /* the peer's name for it */
};

enum job { NOTHING, WRITE, SUBSCRIBE };

/* A connection for requests that are answered. */
struct lane {
    int fd;
    enum job job;
    size_t subject;                /* the number of the write, or the index of the stream */
    struct response answer;
};

/* First in, first out, of indexes of streams; each is in it at most once. */
struct queue { size_t *items, first, count, room; };

static int port, write_port, epoll, timer, is_peer;
static struct requests openings, writes;
static struct stream *streams;
static size_t stream_count, served_count;
static struct lane *lanes;
static size_t lane_count;
static struct queue free_lanes, coming_back, subscribing;
static uint64_t *waits;            /* of each stream, from the request to being served */
static size_t wait_count;
static uint64_t reconnects, refused, server_closed, resets, moved;

/* With our dialect. */
static uint64_t missing_revs, repeated_revs;
static struct ledger ledger;       /* empty when nothing is written */

static void usage(void) {
    fprintf(stderr, "usage: streams live fairweather|pocketbase PORT[,WRITE_PORT] STREAMS DEVICES WRITES CONNECTIONS RATE SECONDS [SHARE AWAY_MS]\n"
                    "       streams idle fairweather|pocketbase PORT STREAMS\n");
    exit(2);
}

static struct queue new_queue(size_t room) {
    return (struct queue){ allocate(room, sizeof(size_t)), 0, 0, room };
}

static void push(struct queue *queue, size_t item) {
    if (queue->count == queue->room) { errno = ENOBUFS; fail("a queue"); }
    queue->items[(queue->first + queue->count++) % queue->room] = item;
}

static size_t pop(struct queue *queue) {
    size_t item = queue->items[queue->first];
    queue->first = (queue->first + 1) % queue->room;
    queue->count--;
    return item;
}

static void watch(int fd, uint32_t events, uint64_t mark, int how) {
    struct epoll_event event = { .events = events, .data.u64 = mark };
    if (epoll_ctl(epoll, how, fd, &event) < 0) fail("epoll_ctl");
}

static int new_socket(int flags) {
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    if (fd < 0) fail("socket");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

/* Streams */

/* Closes it as a device does that loses its network: no farewell. It comes back after `away`. */
static void cut_off(size_t index, uint64_t away) {
    struct stream *s = &streams[index];
    if (s->state == CLOSED) return;
    struct linger at_once = { 1, 0 };
    setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(s->fd);
    if (s->state == SERVED) served_count--;
    s->state = CLOSED;
    s->reopen_at = now_ns() + away;
    push(&coming_back, index);
}

static void connect_stream(size_t index) {
    struct stream *s = &streams[index];
    struct sockaddr_in address = loopback(port);
    s->fd = new_socket(SOCK_NONBLOCK);
    s->state = CONNECTING;
    s->asked_at = now_ns();
    response_begin(&s->answer);
    events_begin(&s->events);
    s->client[0] = 0;
    if (connect(s->fd, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS) fail("connect");
    watch(s->fd, EPOLLIN | EPOLLOUT, index, EPOLL_CTL_ADD);
}

/* The prepared request, with the cursor if there is one. */
static void ask(size_t index) {
    struct stream *s = &streams[index];
    const struct request *r = &openings.items[is_peer ? index * 2 : index];
    char request[READ_SIZE + 128];
    size_t length = r->length;
    memcpy(request, r->bytes, length);
    if (s->cursor[0]) length = length - 2 + (size_t)sprintf(request + length - 2, "Last-Event-ID: %s\r\n\r\n", s->cursor);
    s->state = ASKED;
    watch(s->fd, EPOLLIN, index, EPOLL_CTL_MOD);
    if (send(s->fd, request, length, MSG_NOSIGNAL) != (ssize_t)length) cut_off(index, COME_BACK);
}

static void served(size_t index) {
    struct stream *s = &streams[index];
    if (s->state != ASKED) return;
    s->state = SERVED;
    served_count++;
    if (wait_count < stream_count) waits[wait_count++] = now_ns() - s->asked_at;
}

/* Creates only, so between two cursors there are as many changes as numbers. */
static void note_cursor(struct stream *s, const char *cursor, size_t changes) {
    const char *dot = strrchr(cursor, '.');
    uint64_t seq = dot ? strtoull(dot + 1, NULL, 10) : 0, known = s->seq + changes;
    if (s->cursor[0] && seq > known) missing_revs += seq - known;
    if (s->cursor[0] && seq < known) repeated_revs += known - seq;
    s->seq = seq;
    snprintf(s->cursor, sizeof s->cursor, "%s", cursor);
}

static void note_event(void *context, const char *name, const char *id, const char *data, size_t length) {
    struct stream *s = context;
    size_t index = (size_t)(s - streams);
    (void)length;
    if (is_peer) {
        if (strcmp(name, "PB_CONNECT") != 0) { ledger_event(&ledger, index, data); return; }
        if (strlen(id) != CLIENT_ID) { errno = EPROTO; fail("the peer's client id has another length"); }
        memcpy(s->client, id, CLIENT_ID + 1);
        push(&subscribing, index);
        return;
    }
    if (strcmp(name, "reset") == 0) { resets++; return; }
    size_t changes = strcmp(name, "changes") == 0 ? ledger_event(&ledger, index, data) : 0;
    if (strcmp(name, "hello") == 0) {
        if (s->cursor[0] && strcmp(s->cursor, id) != 0) moved++;
        served(index);
    }
    if (id[0]) note_cursor(s, id, changes);
}

static void note_body(void *context, const char *bytes, size_t count) {
    struct stream *s = context;
    events_feed(&s->events, bytes, count, note_event, s);
}

static void receive_stream(size_t index, uint32_t what) {
    static char bytes[READ_SIZE];
    struct stream *s = &streams[index];
    if (s->state == CLOSED) return;
    if (s->state == CONNECTING) {
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error) { refused++; cut_off(index, COME_BACK); }
        else if (what & EPOLLOUT) ask(index);
        return;
    }
    ssize_t count = recv(s->fd, bytes, sizeof bytes, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    int ended = count <= 0 || response_feed(&s->answer, bytes, (size_t)count, note_body, s) != 0;
    if (s->answer.status && s->answer.status != 200) { refused++; ended = 1; }
    else if (ended) server_closed++;
    if (ended) cut_off(index, COME_BACK);
}

/* Requests that are answered */

static void open_lane(size_t index) {
    struct lane *lane = &lanes[index];
    struct sockaddr_in address = loopback(write_port);
    lane->fd = new_socket(0);
    if (connect(lane->fd, (struct sockaddr *)&address, sizeof address) < 0) fail("connect");
    if (fcntl(lane->fd, F_SETFL, O_NONBLOCK) < 0) fail("fcntl");
    watch(lane->fd, EPOLLIN, LANE_MARK + index, EPOLL_CTL_ADD);
    response_begin(&lane->answer);
}

static void replace_lane(size_t index) {
    struct lane *lane = &lanes[index];
    close(lane->fd);
    if (lane->job == WRITE) ledger.broken++;
    if (lane->job == SUBSCRIBE && streams[lane->subject].client[0]) push(&subscribing, lane->subject);
    if (lane->job != NOTHING) push(&free_lanes, index);
    lane->job = NOTHING;
    open_lane(index);
}

static void send_on_lane(enum job job, size_t subject, const struct request *request) {
    size_t index = pop(&free_lanes);
    struct lane *lane = &lanes[index];
    lane->job = job;
    lane->subject = subject;
    /* A request is far smaller than an empty send buffer: a short write means a dead peer. */
    if (send(lane->fd, request->bytes, request->length, MSG_NOSIGNAL) != (ssize_t)request->length) replace_lane(index);
}

static void subscribe(size_t index) {
    struct request *r = &openings.items[index * 2 + 1];
    /* The place of the id is found anew each time: it holds the last client's, behind the same words. */
    static const char key[] = "\"clientId\":\"";
    char *at = memmem(r->bytes, r->length, key, sizeof key - 1);
    if (!at || at + sizeof key - 1 + CLIENT_ID > r->bytes + r->length) { errno = EINVAL; fail("a subscription without clientId"); }
    memcpy(at + sizeof key - 1, streams[index].client, CLIENT_ID);
    send_on_lane(SUBSCRIBE, index, r);
}

static void send_write(uint64_t due) {
    const struct request *r = &writes.items[ledger.sent % writes.count];
    send_on_lane(WRITE, ledger_write(&ledger, r, due), r);
}

static void answered(size_t index) {
    struct lane *lane = &lanes[index];
    int is_good = lane->answer.status >= 200 && lane->answer.status <= 299;
    enum job job = lane->job;
    lane->job = NOTHING;
    push(&free_lanes, index);
    response_begin(&lane->answer);
    if (job == WRITE && is_good) {
        ledger_acknowledge(&ledger, lane->subject);
    } else if (job == WRITE) {
        ledger.bad_status++;
    } else if (is_good) {
        served(lane->subject);
    } else {
        refused++;
        cut_off(lane->subject, COME_BACK);
    }
}

static void receive_lane(size_t index) {
    static char bytes[READ_SIZE];
    struct lane *lane = &lanes[index];
    ssize_t count = recv(lane->fd, bytes, sizeof bytes, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    int state = count > 0 && lane->job != NOTHING ? response_feed(&lane->answer, bytes, (size_t)count, NULL, NULL) : -1;
    if (state < 0) replace_lane(index);
    else if (state == 1) answered(index);
}

/* The loop */

/* Does what is due and handles what has arrived, waiting for it until `deadline`. Returns 1 when stdin has something. */
static int turn(uint64_t deadline) {
    uint64_t now = now_ns();
    for (int opened = 0; coming_back.count && opened < OPENED_PER_TURN; opened++) {
        uint64_t at = streams[coming_back.items[coming_back.first]].reopen_at;
        if (at > now) {
            if (at < deadline) deadline = at;
            break;
        }
        connect_stream(pop(&coming_back));
        reconnects++;
        if (opened == OPENED_PER_TURN - 1) deadline = now;
    }
    while (subscribing.count && free_lanes.count) {
        size_t index = pop(&subscribing);
        if (streams[index].state == ASKED && streams[index].client[0]) subscribe(index);
    }
    int timeout = -1;
    if (deadline <= now) {
        timeout = 0;
    } else {
        struct itimerspec at = { .it_value = { .tv_sec = (time_t)(deadline / SECOND), .tv_nsec = (long)(deadline % SECOND) } };
        if (timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, NULL) < 0) fail("timer");
    }
    struct epoll_event events[256];
    int count = epoll_wait(epoll, events, 256, timeout), has_input = 0;
    if (count < 0 && errno != EINTR) fail("epoll_wait");
    for (int i = 0; i < count; i++) {
        uint64_t mark = events[i].data.u64, expirations;
        if (mark == STDIN_MARK) has_input = 1;
        else if (mark == TIMER_MARK) { if (read(timer, &expirations, sizeof expirations) < 0 && errno != EAGAIN) fail("timer"); }
        else if (mark >= LANE_MARK) receive_lane((size_t)(mark - LANE_MARK));
        else receive_stream((size_t)mark, events[i].events);
    }
    return has_input;
}

static void prepare(const char *stream_file, size_t connections) {
    openings = load_requests(stream_file);
    stream_count = openings.count / (is_peer ? 2 : 1);
    lane_count = connections;
    streams = allocate(stream_count, sizeof *streams);
    lanes = allocate(lane_count, sizeof *lanes);
    waits = allocate(stream_count, sizeof *waits);
    free_lanes = new_queue(lane_count);
    coming_back = new_queue(stream_count);
    /* A stream that was cut off while it waited to subscribe may stand in it once more. */
    subscribing = new_queue(stream_count * 2 + lane_count);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (epoll < 0 || timer < 0) fail("epoll");
    watch(timer, EPOLLIN, TIMER_MARK, EPOLL_CTL_ADD);
    for (size_t i = 0; i < lane_count; i++) {
        open_lane(i);
        push(&free_lanes, i);
    }
}

/* Waits until all streams are served. Returns how long that took. */
static double all_served(uint64_t since) {
    while (served_count < stream_count && now_ns() < since + SERVED_WITHIN) turn(since + SERVED_WITHIN);
    return (double)(now_ns() - since) / 1e9;
}

static double open_all(void) {
    uint64_t since = now_ns();
    for (size_t i = 0; i < stream_count; i++) {
        connect_stream(i);
        /* Paced by the backlog that the slowest listener has: opening is not what `live` measures. */
        if (i % OPENED_PER_TURN == OPENED_PER_TURN - 1) turn(now_ns() + SECOND / 200);
    }
    double took = all_served(since);
    if (served_count < stream_count) { errno = ETIMEDOUT; fail("not all streams were served"); }
    return took;
}

static void pass(uint64_t span) {
    for (uint64_t end = now_ns() + span; now_ns() < end;) turn(end);
}

static uint64_t comments(void) {
    uint64_t sum = 0;
    for (size_t i = 0; i < stream_count; i++) sum += streams[i].events.comments;
    return sum;
}

/* Cuts off the share of the streams. Returns how many. */
static size_t cut_off_some(double share, uint64_t away) {
    size_t count = 0;
    for (size_t i = 0; i < stream_count; i++) {
        /* Spread over the users by a fixed rule, so that most users keep some of their devices. */
        if (i * 7919 % 1000 >= (size_t)(share * 1000)) continue;
        cut_off(i, away);
        count++;
    }
    return count;
}

/* Sends what is due by now. Returns when the next write is. */
static uint64_t send_due(double rate, size_t most, uint64_t start, uint64_t end) {
    uint64_t now = now_ns();
    if (now < start) return start;
    while (ledger.sent < most && free_lanes.count) {
        uint64_t due = rate > 0 ? start + (uint64_t)((double)ledger.sent * 1e9 / rate) : now_ns();
        if (due > now && rate > 0) return due;
        send_write(due);
    }
    /* With all connections busy there is nothing to send before one of them is answered. */
    return end;
}

static void run_live(size_t devices, double rate, double seconds, double share, uint64_t away) {
    size_t most = rate > 0 ? (size_t)(rate * seconds) : 1000000, killed = 0;
    if (!most || most > 10000000 || writes.count * devices != stream_count) usage();
    ledger = new_ledger(most, writes.count, devices);
    double opened = open_all();
    pass(SETTLE);
    reconnects = 0;
    uint64_t start = now_ns() + SECOND / 50, end = start + (uint64_t)(seconds * 1e9), middle = start + (end - start) / 2;
    for (uint64_t now = start; now < end || (rate > 0 && ledger.sent < most && now < end + GRACE); now = now_ns()) {
        if (share > 0 && !killed && now >= middle) killed = cut_off_some(share, away);
        uint64_t next = send_due(rate, most, start, now < end ? end : end + GRACE);
        turn(share > 0 && !killed && middle < next ? middle : next);
    }
    uint64_t ended = now_ns(), until = ended + GRACE;
    while (now_ns() < until && (ledger.received < ledger.sent * devices || served_count < stream_count)) turn(until);
    double settled = (double)(now_ns() - ended) / 1e9;
    uint64_t last = ledger.last_event > ended ? ledger.last_event : ended;
    pass(LINGER);
    printf("{\"streams\":%zu,\"opened_s\":%.3f,\"planned\":%zu,\"seconds\":%.4f,\"settled_s\":%.3f,\"missing_revs\":%llu,"
           "\"repeated_revs\":%llu,\"resets\":%llu,\"moved\":%llu,\"killed\":%zu,\"reconnects\":%llu,\"refused\":%llu,"
           "\"server_closed\":%llu,\"unserved\":%zu,",
           stream_count, opened, rate > 0 ? most : (size_t)ledger.sent, (double)(last - start) / 1e9, settled,
           (unsigned long long)missing_revs, (unsigned long long)repeated_revs, (unsigned long long)resets,
           (unsigned long long)moved, killed, (unsigned long long)reconnects, (unsigned long long)refused,
           (unsigned long long)server_closed, stream_count - served_count);
    ledger_report(&ledger);
    puts("}");
}

static void report_served(double seconds) {
    qsort(waits, wait_count, sizeof *waits, ascending);
    printf("{\"streams\":%zu,\"served\":%zu,\"seconds\":%.4f,\"p50\":%.1f,\"p99\":%.1f,\"reconnects\":%llu,\"refused\":%llu,"
           "\"server_closed\":%llu,\"resets\":%llu,\"moved\":%llu,\"comments\":%llu}\n",
           stream_count, served_count, seconds, percentile(waits, wait_count, .50), percentile(waits, wait_count, .99),
           (unsigned long long)reconnects, (unsigned long long)refused, (unsigned long long)server_closed,
           (unsigned long long)resets, (unsigned long long)moved, (unsigned long long)comments());
    fflush(stdout);
}

static void run_idle(void) {
    report_served(open_all());
    watch(STDIN_FILENO, EPOLLIN, STDIN_MARK, EPOLL_CTL_ADD);
    for (;;) {
        if (!turn(now_ns() + SECOND)) continue;
        char line[64];
        if (read(STDIN_FILENO, line, sizeof line) <= 0) return;
        reconnects = refused = server_closed = resets = moved = 0;
        wait_count = 0;
        uint64_t since = now_ns();
        for (size_t i = 0; i < stream_count; i++) cut_off(i, 0);
        report_served(all_served(since));
    }
}

int main(int count, char **words) {
    if (count < 5) usage();
    is_peer = strcmp(words[2], "pocketbase") == 0;
    if (!is_peer && strcmp(words[2], "fairweather") != 0) usage();
    port = write_port = atoi(words[3]);
    const char *comma = strchr(words[3], ',');
    if (comma) write_port = atoi(comma + 1);
    raise_file_limit();
    if (strcmp(words[1], "idle") == 0 && count == 5) {
        prepare(words[4], is_peer ? SUBSCRIBERS : 0);
        run_idle();
    } else if (strcmp(words[1], "live") == 0 && (count == 10 || count == 12)) {
        writes = load_requests(words[6]);
        prepare(words[4], (size_t)atol(words[7]));
        run_live((size_t)atol(words[5]), atof(words[8]), atof(words[9]), count == 12 ? atof(words[10]) : 0,
                 count == 12 ? (uint64_t)(atof(words[11]) * 1e6) : 0);
    } else {
        usage();
    }
    return 0;
}
