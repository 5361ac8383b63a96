/** One event of an event stream. */
export interface ServerEvent {
  event: string;
  data: string;
  id: string | null;
}

/**
 * Reads `text/event-stream` as the HTML standard defines it. `retry` hears of pauses that the server asks for, `alive`
 * of every piece that arrives, comments included.
 */
export async function* serverEvents(
  body: ReadableStream<Uint8Array>,
  hear: { retry: (ms: number) => void; alive: () => void },
): AsyncGenerator<ServerEvent> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  let rest = '';
  let event = '';
  let data: string[] = [];
  let id: string | null = null;
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      hear.alive();
      // A carriage return at the end of a piece may have its line feed in the next.
      const text = rest + value;
      const held = text.endsWith('\r') ? '\r' : '';
      const lines = text.slice(0, text.length - held.length).split(/\r\n|\r|\n/);
      rest = (lines.pop() ?? '') + held;
      for (const line of lines) {
        if (line === '') {
          if (data.length > 0) yield { event: event || 'message', data: data.join('\n'), id };
          event = '';
          data = [];
          continue;
        }
        const colon = line.indexOf(':');
        const field = colon < 0 ? line : line.slice(0, colon);
        const content = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
        if (field === 'event') event = content;
        else if (field === 'data') data.push(content);
        else if (field === 'id') id = content;
        else if (field === 'retry' && /^\d+$/.test(content)) hear.retry(Number(content));
      }
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}
