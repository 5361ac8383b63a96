/* Server-sent events as a client reads them: lines in, whole events out. */
#ifndef EVENTS_H
#define EVENTS_H
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "wire.h"

#define LINE_MOST (8u << 20)       /* a longer line is no event of the servers measured here */

struct text { char *bytes; size_t held, room; };

struct events {
    struct text line;              /* the line that is not complete yet */
    struct text data;              /* of the event that is not complete yet */
    char name[48], id[72];         /* likewise */
    uint64_t comments;
};

/* Takes a whole event. `data` ends with a zero byte. */
typedef void event_sink(void *context, const char *name, const char *id, const char *data, size_t length);

static inline void text_add(struct text *text, const char *bytes, size_t count) {
    if (text->held + count + 1 > text->room) {
        if (text->held + count > LINE_MOST) { errno = EMSGSIZE; fail("an event"); }
        text->room = (text->held + count + 1) * 2;
        text->bytes = realloc(text->bytes, text->room);
        if (!text->bytes) fail("memory");
    }
    memcpy(text->bytes + text->held, bytes, count);
    text->held += count;
    text->bytes[text->held] = 0;
}

static inline void text_free(struct text *text) {
    free(text->bytes);
    *text = (struct text){ NULL, 0, 0 };
}

/* What was received of an event that did not become complete counts for nothing. */
static inline void events_begin(struct events *events) {
    text_free(&events->line);
    text_free(&events->data);
    events->name[0] = events->id[0] = 0;
}

static inline void events_line(struct events *events, event_sink *sink, void *context) {
    char *line = events->line.bytes;
    size_t length = events->line.held;
    if (length && line[length - 1] == '\r') line[--length] = 0;
    if (length == 0) {
        if (events->data.held) sink(context, events->name, events->id, events->data.bytes, events->data.held);
        text_free(&events->data);
        events->name[0] = events->id[0] = 0;
        return;
    }
    char *colon = memchr(line, ':', length);
    if (colon == line) { events->comments++; return; }
    if (!colon) return;
    char *value = colon + 1;
    if (*value == ' ') value++;
    size_t field = (size_t)(colon - line);
    if (field == 4 && memcmp(line, "data", 4) == 0) text_add(&events->data, value, length - (size_t)(value - line));
    else if (field == 5 && memcmp(line, "event", 5) == 0) snprintf(events->name, sizeof events->name, "%s", value);
    else if (field == 2 && memcmp(line, "id", 2) == 0) snprintf(events->id, sizeof events->id, "%s", value);
}

static inline void events_feed(struct events *events, const char *bytes, size_t count, event_sink *sink, void *context) {
    while (count) {
        const char *end = memchr(bytes, '\n', count);
        size_t take = end ? (size_t)(end - bytes) : count;
        text_add(&events->line, bytes, take);
        if (!end) return;
        events_line(events, sink, context);
        events->line.held = 0;
        bytes += take + 1;
        count -= take + 1;
    }
}

#endif
