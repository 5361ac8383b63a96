/*
 * HTTP/1.1 as the load programs speak it: the clock, files of prepared requests, sockets to this
 * machine, and a reader of responses that takes bytes as they come.
 */
#ifndef WIRE_H
#define WIRE_H
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEAD_LIMIT 16384           /* longest response head or chunk line accepted */
#define READ_SIZE 65536
#define CONNECT_BATCH 200          /* below every listen backlog in use, so that none is dropped */

static inline void fail(const char *what) {
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
    exit(1);
}

static inline uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static inline void *allocate(size_t count, size_t size) {
    void *memory = calloc(count ? count : 1, size);
    if (!memory) fail("memory");
    return memory;
}

/* Lets this program open as many files as the system allows: ten thousand streams need as many. */
static inline void raise_file_limit(void) {
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

struct request { char *bytes; size_t length; };
struct requests { struct request *items; size_t count; };

/* Reads whole requests, each as its length in decimal, a newline, and its bytes. */
static inline struct requests load_requests(const char *path) {
    struct requests all = { NULL, 0 };
    FILE *file = fopen(path, "rb");
    if (!file) fail(path);
    size_t room = 0, length;
    while (fscanf(file, "%zu", &length) == 1) {
        if (fgetc(file) != '\n' || length == 0 || length > 65536) { errno = EINVAL; fail("request file"); }
        char *bytes = allocate(length, 1);
        if (fread(bytes, 1, length, file) != length) { errno = EINVAL; fail("request file is cut short"); }
        if (all.count == room) {
            room = room ? room * 2 : 256;
            all.items = realloc(all.items, room * sizeof *all.items);
            if (!all.items) fail("memory");
        }
        all.items[all.count++] = (struct request){ bytes, length };
    }
    fclose(file);
    if (all.count == 0) { errno = EINVAL; fail("no requests"); }
    return all;
}

/* There is no way to name another host: load stays on this machine. */
static inline struct sockaddr_in loopback(int port) {
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

enum part { HEAD, BODY, CHUNK_SIZE, CHUNK_DATA, CHUNK_END, TRAILER, UNTIL_CLOSE };

struct response {
    enum part part;
    int status;
    uint64_t left;                 /* bytes of body or chunk still to come */
    size_t held;                   /* bytes in line[] */
    char line[HEAD_LIMIT];         /* the head, or the current chunk-size or trailer line */
};

/* Takes bytes of the body, without the framing of chunks. */
typedef void body_sink(void *context, const char *bytes, size_t count);

static inline void response_begin(struct response *r) {
    r->part = HEAD;
    r->held = 0;
    r->status = 0;
}

/* Finds a header's value inside the head; NULL when it is absent. */
static inline const char *header(const char *head, const char *name) {
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
static inline int read_head(struct response *r) {
    if (sscanf(r->line, "HTTP/1.%*d %d", &r->status) != 1) return -1;
    const char *length = header(r->line, "content-length");
    const char *encoding = header(r->line, "transfer-encoding");
    r->held = 0;
    if (encoding && strncasecmp(encoding, "chunked", 7) == 0) { r->part = CHUNK_SIZE; return 0; }
    if (length) r->left = strtoull(length, NULL, 10);
    else if (r->status == 204 || r->status == 304) r->left = 0;
    else { r->part = UNTIL_CLOSE; return 0; }
    r->part = BODY;
    return r->left == 0;
}

/*
 * Feeds received bytes. Returns 1 when the response is complete, 0 when more must come, -1 when it
 * is malformed, which bytes behind its end are too: nobody here pipelines. A body that ends with
 * its connection never becomes complete.
 */
static inline int response_feed(struct response *r, const char *bytes, size_t count, body_sink *sink, void *context) {
    size_t at = 0;
    while (at < count) {
        if (r->part == UNTIL_CLOSE) {
            if (sink) sink(context, bytes + at, count - at);
            return 0;
        }
        if (r->part == BODY || r->part == CHUNK_DATA) {
            uint64_t take = r->left < count - at ? r->left : count - at;
            if (sink) sink(context, bytes + at, take);
            at += take;
            r->left -= take;
            if (r->left == 0) {
                if (r->part == BODY) return at == count ? 1 : -1;
                r->part = CHUNK_END;
            }
            continue;
        }
        if (r->held + 1 >= HEAD_LIMIT) return -1;
        r->line[r->held++] = bytes[at++];
        r->line[r->held] = 0;
        if (r->part == HEAD) {
            if (r->held < 4 || memcmp(r->line + r->held - 4, "\r\n\r\n", 4) != 0) continue;
            int ended = read_head(r);
            if (ended) return ended == 1 && at == count ? 1 : -1;
            continue;
        }
        if (r->line[r->held - 1] != '\n') continue;
        size_t length = r->held;
        r->held = 0;
        if (r->part == CHUNK_END) {
            r->part = CHUNK_SIZE;
        } else if (r->part == CHUNK_SIZE) {
            r->left = strtoull(r->line, NULL, 16);
            r->part = r->left ? CHUNK_DATA : TRAILER;
        } else if (length == 2) {
            return at == count ? 1 : -1;
        }
    }
    return 0;
}

static inline int ascending(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Of `count` nanoseconds in ascending order, in microseconds. */
static inline double percentile(const uint64_t *sorted, size_t count, double share) {
    if (!count) return 0;
    size_t at = (size_t)(share * (double)count);
    return (double)sorted[at < count ? at : count - 1] / 1000.0;
}

#endif
