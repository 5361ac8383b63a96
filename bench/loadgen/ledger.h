/* Which writes were sent and acknowledged, and which device has seen which of them, when. */
#ifndef LEDGER_H
#define LEDGER_H
#include "wire.h"

#define MARK "w4-"
#define MARK_LENGTH 32                /* w4-, 20 digits of nanoseconds, -, 8 digits of the write */

struct ledger {
    size_t users, devices;            /* write n is of user n % users, who has so many devices */
    uint64_t sent, acknowledged, bad_status, broken;
    uint64_t *due_at;                 /* of each write */
    unsigned char *is_acknowledged;   /* of each write */
    unsigned char *is_seen;           /* of each write and device */
    uint64_t *latencies;              /* of each event, in the order in which they came */
    uint64_t *acknowledge_times;
    size_t received, duplicated, foreign;
    uint64_t last_event;
};

static inline struct ledger new_ledger(size_t most, size_t users, size_t devices) {
    return (struct ledger){
        .users = users,
        .devices = devices,
        .due_at = allocate(most, sizeof(uint64_t)),
        .is_acknowledged = allocate(most, 1),
        .is_seen = allocate(most * devices, 1),
        .latencies = allocate(most * devices, sizeof(uint64_t)),
        .acknowledge_times = allocate(most, sizeof(uint64_t)),
    };
}

/* The bytes behind the head where `what` begins. */
static inline char *in_body(const struct request *r, const char *what) {
    char *body = memmem(r->bytes, r->length, "\r\n\r\n", 4);
    char *at = body ? memmem(body, r->length - (size_t)(body - r->bytes), what, strlen(what)) : NULL;
    if (!at) { errno = EINVAL; fail("a write lacks its name or coordinates"); }
    return at;
}

static inline void two_digits(char *at, uint64_t number) {
    at[0] = (char)('0' + number / 10 % 10);
    at[1] = (char)('0' + number % 10);
}

/* Notes the next write and puts its mark, and a place that its user has not saved yet, into the request. */
static inline uint64_t ledger_write(struct ledger *ledger, const struct request *r, uint64_t due) {
    uint64_t number = ledger->sent++, turn = number / ledger->users;
    char mark[MARK_LENGTH + 1];
    snprintf(mark, sizeof mark, MARK "%020llu-%08llu", (unsigned long long)due, (unsigned long long)number);
    memcpy(in_body(r, MARK), mark, MARK_LENGTH);
    two_digits(in_body(r, "60.10") + 5, turn);
    two_digits(in_body(r, ":9.20") + 5, turn / 100);
    ledger->due_at[number] = due;
    return number;
}

static inline void ledger_acknowledge(struct ledger *ledger, uint64_t number) {
    ledger->acknowledge_times[ledger->acknowledged++] = now_ns() - ledger->due_at[number];
    ledger->is_acknowledged[number] = 1;
}

/* Finds the marks in an event of a device, counted over all users. Returns how many there are. */
static inline size_t ledger_event(struct ledger *ledger, size_t device, const char *data) {
    size_t found = 0;
    uint64_t at = now_ns();
    for (const char *mark = strstr(data, MARK); mark; mark = strstr(mark + sizeof MARK - 1, MARK)) {
        char *end;
        uint64_t due = strtoull(mark + sizeof MARK - 1, &end, 10);
        if (*end != '-') continue;
        uint64_t number = strtoull(end + 1, NULL, 10);
        found++;
        /* Of another run, or another user's, which nobody may ever see here. */
        int is_ours = number < ledger->sent && ledger->due_at[number] == due;
        if (!is_ours || number % ledger->users != device / ledger->devices) { ledger->foreign++; continue; }
        unsigned char *seen = &ledger->is_seen[number * ledger->devices + device % ledger->devices];
        if (*seen) { ledger->duplicated++; continue; }
        *seen = 1;
        ledger->latencies[ledger->received++] = at - due;
        ledger->last_event = at;
    }
    return found;
}

/* Prints its part of the result, without braces. */
static inline void ledger_report(struct ledger *ledger) {
    uint64_t expected = 0, lost = 0;
    for (uint64_t n = 0; n < ledger->sent; n++) {
        for (size_t device = 0; ledger->is_acknowledged[n] && device < ledger->devices; device++) {
            expected++;
            lost += !ledger->is_seen[n * ledger->devices + device];
        }
    }
    qsort(ledger->latencies, ledger->received, sizeof(uint64_t), ascending);
    qsort(ledger->acknowledge_times, ledger->acknowledged, sizeof(uint64_t), ascending);
    printf("\"sent\":%llu,\"acknowledged\":%llu,\"bad_status\":%llu,\"broken\":%llu,"
           "\"expected\":%llu,\"received\":%zu,\"lost\":%llu,\"duplicated\":%zu,\"foreign\":%zu,",
           (unsigned long long)ledger->sent, (unsigned long long)ledger->acknowledged,
           (unsigned long long)ledger->bad_status, (unsigned long long)ledger->broken,
           (unsigned long long)expected, ledger->received, (unsigned long long)lost, ledger->duplicated, ledger->foreign);
    printf("\"p50\":%.1f,\"p95\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"max\":%.1f,\"ack_p50\":%.1f,\"ack_p99\":%.1f",
           percentile(ledger->latencies, ledger->received, .50), percentile(ledger->latencies, ledger->received, .95),
           percentile(ledger->latencies, ledger->received, .99), percentile(ledger->latencies, ledger->received, .999),
           percentile(ledger->latencies, ledger->received, 1),
           percentile(ledger->acknowledge_times, ledger->acknowledged, .50),
           percentile(ledger->acknowledge_times, ledger->acknowledged, .99));
}

#endif
