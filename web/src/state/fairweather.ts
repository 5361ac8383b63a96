import { createClient } from '@fairweather/client';

/** The server of this page. Everything that the app knows of it comes through here. */
export const fairweather = createClient();
