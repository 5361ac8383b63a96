/** Generated from schema/openapi.json by `npm run types`. Do not edit. */

export interface paths {
    "/.well-known/jwks.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Signing keys
         * @description The public keys of our access tokens (RFC 7517), for services that verify them.
         */
        get: operations["getSigningKeys"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Alive
         * @description The process answers. Says nothing of the database; `/readyz` does.
         */
        get: operations["getHealth"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Ready
         * @description The database answers and no shutdown has begun: send requests here.
         */
        get: operations["getReadiness"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/anonymous": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Start anonymously
         * @description Makes an account without any personal data. It can gain a way to sign in later and keeps everything.
         */
        post: operations["startAnonymously"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Sign in */
        post: operations["signIn"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/logout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign out
         * @description Ends the caller's session at once and everywhere.
         */
        post: operations["signOut"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Refresh
         * @description Exchanges a refresh token for the next pair. A lost answer is no harm: ask again with the same token.
         */
        post: operations["refreshTokens"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/register": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Register
         * @description Mails a code. The answer is the same for an address that has an account. From an anonymous session it
         *     upgrades that account.
         */
        post: operations["register"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/register/confirm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Confirm a registration
         * @description With the mailed code. Five tries, thirty minutes.
         */
        post: operations["confirmRegistration"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/revoke": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Revoke a refresh token
         * @description Ends its session. Unknown tokens are no error (RFC 7009). An anonymous account is signed out of by logging out.
         */
        post: operations["revokeToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/changes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read what changed
         * @description What happened to favourites since a cursor, by this device or another. 410 says that it cannot be told: take
         *     the snapshot anew and go on from its cursor.
         */
        get: operations["listChanges"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/favourites": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List favourites
         * @description In order of (position, id). A synchronising client takes them in one page and goes on from `cursor`.
         */
        get: operations["listFavourites"];
        put?: never;
        /**
         * Create a favourite
         * @description Under an id of its own; PUT takes one that the client made. The same place twice is allowed and told.
         */
        post: operations["createFavourite"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/favourites/forecasts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Forecasts of all favourites
         * @description The favourites screen in one request: now, today and the next hours of each. Answers within three seconds
         *     with what is there by then.
         */
        get: operations["listFavouriteForecasts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/favourites/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a favourite */
        get: operations["getFavourite"];
        /**
         * Create or replace a favourite
         * @description The client makes the id (UUIDv7). Replaces name, coordinates, place, elevation and note; a position that is
         *     left out is kept.
         */
        put: operations["putFavourite"];
        post?: never;
        /** Remove a favourite */
        delete: operations["deleteFavourite"];
        options?: never;
        head?: never;
        /**
         * Change fields of a favourite
         * @description A JSON merge patch. Two devices that change different fields both keep their change.
         */
        patch: operations["patchFavourite"];
        trace?: never;
    };
    "/v1/favourites/{id}/forecast": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Forecast of a favourite */
        get: operations["getFavouriteForecast"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/forecasts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Forecasts of points
         * @description One to ten; one that fails does not fail the others.
         */
        post: operations["getPointForecasts"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who am I */
        get: operations["getMe"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/adopt": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Adopt an anonymous account
         * @description Takes over its favourites, skipping places that are there already, and removes it.
         */
        post: operations["adoptAccount"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/preferences": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Set preferences */
        put: operations["setPreferences"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/places": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Search places
         * @description As you type: prefixes, diacritics, many scripts, and typing errors. Best first.
         */
        get: operations["searchPlaces"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/places/nearest": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Find the nearest place
         * @description In the body and not in the address, since addresses end up in logs.
         */
        post: operations["findNearestPlace"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/places/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a place */
        get: operations["getPlace"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/places/{id}/forecast": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Forecast of a place */
        get: operations["getPlaceForecast"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Follow changes
         * @description Server-sent events: `hello`, `changes` (its data is a `Delta`, its id the cursor behind it), `forecast`,
         *     `reset`, `session`; a comment every 20 seconds. A cursor that cannot be gone on from leads to `reset` and not
         *     to an error. A server that cannot serve the stream says `retry:` and ends it.
         */
        get: operations["followChanges"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/stream/ticket": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Draw a ticket for a stream
         * @description For an EventSource or WebSocket on another origin, which can set no header: the ticket stands in the URL, opens
         *     one stream within 30 seconds, and the stream ends when the caller's own credential does.
         */
        post: operations["createStreamTicket"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sync": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send changes and receive changes
         * @description Up to 100 mutations of one device, applied in their order in one transaction with a result each, then what
         *     changed since the device's cursor. May be repeated as often as needed: a mutation has its effect once. An old
         *     cursor never keeps mutations from being applied.
         */
        post: operations["sync"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/weather-codes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Weather codes */
        get: operations["listWeatherCodes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/ws": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Follow changes over a WebSocket
         * @description Frames `{"t","d"}` with the events of `/v1/stream`. The client begins with `{"t":"init","token"?,"cursor"?}`
         *     within five seconds, goes on with `{"t":"auth","token"}` before its token ends, and may send `{"t":"ping"}`.
         *     A cookie counts from our own origin only.
         */
        get: operations["followChangesOverWebSocket"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        AdoptRequest: {
            /** @description Of the anonymous account. The web app leaves it out: its sign-in remembers, for an hour. */
            access_token?: string | null;
        };
        Adopted: {
            /**
             * @description Favourites that were taken over.
             * @example 3
             */
            added: number;
            /**
             * @description Favourites whose place was there already.
             * @example 1
             */
            skipped: number;
        };
        Attribution: {
            /** @example Weather data by Open-Meteo.com */
            text: string;
            /** @example https://open-meteo.com/ */
            url: string | null;
        };
        /** @description The newest change of one item. */
        Change: {
            /** @description It was removed; there is no `item` then. */
            deleted: boolean;
            /** Format: uuid */
            id: string;
            item?: components["schemas"]["Favourite"];
            /**
             * @description What kind of thing changed. Kinds that a client does not know are to be ignored.
             * @example favourite
             */
            kind: string;
            /**
             * Format: int64
             * @example 57
             */
            rev: number;
        };
        Confirmation: {
            /**
             * @description As mailed; case, spaces and dashes do not matter.
             * @example 7Q4K-M2XR
             */
            code: string;
            registration: string;
        };
        /** @description A favourite that was just created. */
        CreatedFavourite: components["schemas"]["Favourite"] & {
            /** @description Other favourites at the same place. */
            duplicate_of?: string[];
        };
        Credentials: {
            /** @example ann@example.org */
            email: string;
            /**
             * @description At least 15 characters, at most 256.
             * @example four plain words do
             */
            password: string;
        };
        /** @description One array per value, each as long as `date`. */
        Daily: {
            date: string[];
            precipitation: (number | null)[];
            precipitation_probability: (number | null)[];
            sunrise: (number | null)[];
            sunset: (number | null)[];
            temperature_max: (number | null)[];
            temperature_min: (number | null)[];
            weather_code: (number | null)[];
            wind_gust_max: (number | null)[];
            wind_speed_max: (number | null)[];
        };
        /** @description A local day. */
        Day: {
            /**
             * Format: date
             * @example 2026-11-21
             */
            date: string;
            /** Format: double */
            precipitation: number | null;
            /** Format: int32 */
            precipitation_probability: number | null;
            /**
             * Format: int64
             * @description Unix seconds; null in polar day and night.
             */
            sunrise: number | null;
            /** Format: int64 */
            sunset: number | null;
            /** Format: double */
            temperature_max: number | null;
            /** Format: double */
            temperature_min: number | null;
            /**
             * Format: int32
             * @description The most severe of the day.
             */
            weather_code: number | null;
            /** Format: double */
            wind_gust_max: number | null;
            /** Format: double */
            wind_speed_max: number | null;
        };
        /** @description The changes that lead from one cursor to another. An item appears once, as its newest change left it. */
        Delta: {
            /** @description In the order of their revisions. */
            changes: components["schemas"]["Change"][];
            /**
             * @description The cursor that was asked.
             * @example v1.2851.41
             */
            from: string;
            /** @description There are more behind `to`. */
            has_more: boolean;
            /**
             * @description Where to go on: the end of the log, or of this page when `has_more`.
             * @example v1.2851.57
             */
            to: string;
        };
        /** @description A saved place or point. */
        Favourite: {
            /**
             * Format: int32
             * @description Metres above the sea; null when nobody said.
             * @example 23
             */
            elevation: number | null;
            /** Format: uuid */
            id: string;
            /**
             * Format: double
             * @description Degrees north.
             * @example 59.91
             */
            lat: number;
            /**
             * Format: double
             * @description Degrees east.
             * @example 10.75
             */
            lon: number;
            /** @example Oslo */
            name: string;
            note: string | null;
            /**
             * Format: int32
             * @description Of the gazetteer, when it was picked there.
             * @example 3143244
             */
            place_id: number | null;
            /**
             * @description Fractional index: favourites are ordered by (position, id), compared byte by byte.
             * @example a0
             */
            position: string;
            /**
             * Format: int64
             * @description Number of the change that made it what it is; its ETag is `"r<rev>"`.
             * @example 42
             */
            rev: number;
            /**
             * @description IANA time zone, computed from the coordinates.
             * @example Europe/Oslo
             */
            tz: string;
            /**
             * Format: date-time
             * @example 2026-11-21T09:28:16Z
             */
            updated_at: string;
        };
        /** @description A forecast, or what stands in its way: one failing place never fails the others. */
        FavouriteForecast: {
            /** Format: uuid */
            favourite_id: string;
            forecast?: components["schemas"]["Forecast"];
            /** @description `forecast_pending` while it is being fetched. */
            problem?: components["schemas"]["Problem"];
        };
        /** @description The favourites screen. */
        FavouriteForecasts: {
            items: components["schemas"]["FavouriteForecast"][];
            /** @description Attribution of each source that an item names. */
            sources: {
                [key: string]: components["schemas"]["Attribution"];
            };
            units: {
                [key: string]: string;
            };
        };
        /** @description Favourites in order. */
        FavouritePage: {
            /**
             * @description Position in the log of changes when the first page was read.
             * @example v1.2851.57
             */
            cursor: string;
            items: components["schemas"]["Favourite"][];
            /** @description Give it as `after` for the next page; null on the last. */
            next: string | null;
        };
        /** @description A JSON merge patch (RFC 7396): fields that are left out stay; `null` clears place, elevation or note. */
        FavouritePatch: {
            /** Format: int64 */
            elevation?: number | null;
            /** Format: double */
            lat?: number;
            /** Format: double */
            lon?: number;
            name?: string;
            note?: string | null;
            /** Format: int64 */
            place_id?: number | null;
            position?: string;
        };
        /** @description One wrong field. */
        FieldProblem: {
            /** @example out_of_range */
            code: string;
            /** @example must be between -90 and 90 */
            detail: string;
            /**
             * @description JSON pointer into the body, `?name` for a query parameter, or a header's name.
             * @example /lat
             */
            pointer: string;
        };
        /**
         * @description Weather for one place, from one source, never spliced. Times of series are unix seconds UTC; a value that is
         *     not known is null, never 0. A variable that was not asked for, or that the source does not have, is absent.
         */
        Forecast: {
            /**
             * Format: int64
             * @description Seconds since it was fetched. Not in lists, whose bytes are kept: use `fetched_at`.
             */
            age_s?: number;
            /** @description Show it beside the data. In lists it stands once, under `sources`. */
            attribution?: components["schemas"]["Attribution"];
            daily: components["schemas"]["Daily"];
            /** Format: date-time */
            fetched_at: string;
            hourly: components["schemas"]["Hourly"];
            /**
             * Format: date-time
             * @description When the source computed it; null when it does not say.
             */
            issued_at: string | null;
            now: components["schemas"]["Now"] | null;
            /**
             * @description `open-meteo`, …; `sandbox` is made up.
             * @example open-meteo
             */
            source: string;
            /** @description Older than an answer should be: the source has been out of reach for hours. */
            stale: boolean;
            today: components["schemas"]["Day"] | null;
            /**
             * @description IANA zone of `today` and `daily`.
             * @example Europe/Lisbon
             */
            tz: string | null;
            /** @description Unit of each variable. In lists it stands once. */
            units?: {
                [key: string]: string;
            };
        };
        ForecastPoint: {
            /**
             * Format: int32
             * @description Metres above the sea.
             */
            elevation?: number | null;
            /**
             * Format: double
             * @example 38.72
             */
            lat: number;
            /**
             * Format: double
             * @example -9.14
             */
            lon: number;
        };
        ForecastsRequest: {
            points: components["schemas"]["ForecastPoint"][];
        };
        /** @description One array per variable, each as long as `time`. */
        Hourly: {
            apparent_temperature?: (number | null)[];
            cloud_cover?: (number | null)[];
            dew_point?: (number | null)[];
            humidity?: (number | null)[];
            is_day?: boolean[];
            precipitation?: (number | null)[];
            precipitation_probability?: (number | null)[];
            pressure?: (number | null)[];
            snowfall?: (number | null)[];
            /** @description Length of each slot in seconds. */
            step_s: number[];
            temperature?: (number | null)[];
            /** @description Unix seconds at which each slot starts. */
            time: number[];
            uv_index?: (number | null)[];
            visibility?: (number | null)[];
            weather_code?: (number | null)[];
            wind_direction?: (number | null)[];
            wind_gust?: (number | null)[];
            wind_speed?: (number | null)[];
        };
        /**
         * @description Kinds of things that are kept alike on all devices.
         * @enum {string}
         */
        Kind: "favourite";
        LogoutRequest: {
            /** @description An anonymous account has no other way in: say `true` to remove it with all its data. */
            discard?: boolean;
            /** @description Ends the session of this token, when the request carries no other credential. */
            refresh_token?: string | null;
        };
        /** @description A value that was replaced. */
        LostBody: {
            /**
             * Format: int64
             * @description The change that had set it.
             * @example 44
             */
            rev: number;
            was: unknown;
        };
        Me: {
            /** Format: uuid */
            account_id: string;
            /** Format: date-time */
            created_at: string;
            /** @example ann@example.org */
            email: string | null;
            /**
             * @description `anonymous` until there is a way to sign in, then `registered`.
             * @example registered
             */
            kind: string;
            preferences: components["schemas"]["Preferences"];
            /** @description `user`, `analyst`, `operator`. */
            roles: string[];
        };
        /** @description One change of one item. */
        Mutation: {
            /**
             * Format: int64
             * @description The item's revision when the device changed it; null when the device had made it itself and was not told
             *     yet.
             * @example 41
             */
            base_rev?: number | null;
            /**
             * Format: uuid
             * @description Of the item; for a new one made by the client (UUIDv7).
             */
            id: string;
            kind: components["schemas"]["Kind"];
            /**
             * Format: uuid
             * @description Made by the client (UUIDv7, no other): under it the change happens once, however often it is sent.
             */
            mid: string;
            op: components["schemas"]["Operation"];
            policy?: components["schemas"]["PolicyName"] | null;
            set?: components["schemas"]["FavouritePatch"] | null;
        };
        /** @description What became of one mutation. */
        MutationResult: {
            /**
             * @description With `conflict`: `exists`, `gone` or `stale`; with `rejected`: `invalid`, `quota`, `mid_reused` or `expired`.
             * @example stale
             */
            error?: string;
            /** @description With `invalid`: each wrong field, with a pointer into the body of the request. */
            errors?: components["schemas"]["FieldProblem"][];
            /** @description The item as it is now, if it is there. */
            item?: components["schemas"]["Favourite"];
            /** Format: uuid */
            mid: string;
            /** @description By field: values of other devices that this device had not seen and that it replaced. */
            overwrote?: {
                [key: string]: components["schemas"]["LostBody"];
            };
            /**
             * Format: int64
             * @description Number of the change, when it was applied.
             * @example 57
             */
            rev?: number;
            /**
             * @description `applied`; `duplicate` (applied when it came before); `noop` (it is so already); `conflict` (another device's
             *     change stands in the way); `rejected` (the mutation is at fault).
             * @example applied
             */
            status: string;
        };
        NearestPlace: {
            /**
             * Format: int32
             * @description From the point asked for to the place's own.
             * @example 1830
             */
            distance_m: number;
            place: components["schemas"]["Place"];
        };
        /**
         * @description Either `place_id`, or `name` with `lat` and `lon`; what is given beside a `place_id` goes before its values.
         * @example {
         *       "place_id": 2267057
         *     }
         */
        NewFavourite: {
            /**
             * Format: int64
             * @description Metres above the sea.
             */
            elevation?: number | null;
            /**
             * Format: double
             * @example 60.1
             */
            lat?: number | null;
            /**
             * Format: double
             * @example 9.2
             */
            lon?: number | null;
            /**
             * @description 1 to 100 characters on one line.
             * @example Cabin
             */
            name?: string | null;
            /** @description Up to 2000 characters. */
            note?: string | null;
            /**
             * Format: int64
             * @example 2267057
             */
            place_id?: number | null;
            /** @description Behind all others when left out. */
            position?: string | null;
        } | ({
            place_id: number;
        } | {
            lat?: null;
            lon?: null;
        } | {
            lat: number;
            lon: number;
        }) | {
            lat: number;
            lon: number;
            name: string;
        };
        /** @description The slot that holds the present. */
        Now: {
            /** Format: double */
            apparent_temperature: number | null;
            /** Format: int32 */
            cloud_cover: number | null;
            /** Format: double */
            dew_point: number | null;
            /** Format: int32 */
            humidity: number | null;
            is_day: boolean;
            /** Format: double */
            precipitation: number | null;
            /** Format: int32 */
            precipitation_probability: number | null;
            /** Format: double */
            pressure?: number;
            /** Format: double */
            snowfall?: number;
            /** Format: double */
            temperature: number | null;
            /**
             * Format: int64
             * @description Unix seconds at which the slot starts.
             * @example 1795251600
             */
            time: number;
            /** Format: double */
            uv_index?: number;
            /** Format: double */
            visibility?: number;
            /**
             * Format: int32
             * @description WMO 4677.
             */
            weather_code: number | null;
            /**
             * Format: int32
             * @description Degrees it comes from.
             */
            wind_direction: number | null;
            /** Format: double */
            wind_gust: number | null;
            /** Format: double */
            wind_speed: number | null;
        };
        /** @enum {string} */
        Operation: "create" | "update" | "delete";
        /** @description A place of the gazetteer. Place data © GeoNames (CC BY 4.0), modified. */
        Place: {
            /**
             * @description First-level area: state, province, region.
             * @example Lisbon
             */
            admin1: string | null;
            /** @example Portugal */
            country: string;
            /**
             * @description ISO 3166-1 alpha-2.
             * @example PT
             */
            country_code: string;
            /**
             * Format: int32
             * @description Metres above the sea, of the place's own point; a hint.
             * @example 45
             */
            elevation: number | null;
            /**
             * Format: int32
             * @example 2267057
             */
            id: number;
            /**
             * Format: double
             * @example 38.71667
             */
            lat: number;
            /**
             * Format: double
             * @example -9.13333
             */
            lon: number;
            /** @example Lisbon */
            name: string;
            /**
             * Format: int32
             * @example 517802
             */
            population: number;
            /**
             * @description IANA time zone.
             * @example Europe/Lisbon
             */
            tz: string;
        };
        PlaceList: {
            items: components["schemas"]["Place"][];
            /** @description Always null: a search has one page. */
            next: string | null;
        };
        Point: {
            /**
             * Format: double
             * @example 38.72
             */
            lat: number;
            /**
             * Format: double
             * @example -9.14
             */
            lon: number;
        };
        PointForecast: {
            forecast?: components["schemas"]["Forecast"];
            problem?: components["schemas"]["Problem"];
        };
        /** @description Forecasts of points, in the order asked. */
        PointForecasts: {
            items: components["schemas"]["PointForecast"][];
        };
        /**
         * @description `merge`: the fields that are set win, the others stay. `if_match`: nothing changes unless `base_rev` is the
         *     item's revision.
         * @enum {string}
         */
        PolicyName: "merge" | "if_match";
        Preferences: {
            /**
             * @description Null for metric
             * @example metric
             * @enum {string|null}
             */
            units?: "metric" | "imperial" | "si" | null;
        };
        /** @description The body of a problem (`application/problem+json`). */
        Problem: {
            /**
             * @description Stable; what a program should look at.
             * @example invalid_request
             */
            code: string;
            /** @description The favourite as it is, with status 412. */
            current?: components["schemas"]["Favourite"];
            detail: string;
            /** @description Each wrong field. */
            errors?: components["schemas"]["FieldProblem"][];
            /**
             * @description The request's id, also in the header `X-Request-Id`.
             * @example req_5af3107a4000c3d1
             */
            instance: string;
            /**
             * @description Why the cursor cannot be continued from, with status 410: `expired`, `era`, `ahead` or `malformed`.
             * @example expired
             */
            reason?: string;
            /**
             * @description What to read instead, with status 410.
             * @example /v1/favourites
             */
            snapshot?: string;
            /**
             * Format: int32
             * @example 422
             */
            status: number;
            /** @example The request does not fit */
            title: string;
            /**
             * @description Stable; ends in the code with dashes.
             * @example https://fairweather.dev/problems/invalid-request
             */
            type: string;
        };
        RefreshRequest: {
            refresh_token: string;
        };
        Registration: {
            /**
             * Format: int64
             * @description Seconds.
             * @example 1800
             */
            expires_in: number;
            /** @description Keep it: with the mailed code it completes the registration. */
            registration: string;
        };
        /** @description The changes cannot be told. */
        Reset: {
            /**
             * @description `expired`, `era`, `ahead` or `malformed`.
             * @example expired
             */
            reason: string;
            /**
             * @description What to read instead.
             * @example /v1/favourites
             */
            snapshot: string;
        };
        RevokeRequest: {
            /** @description A refresh token. */
            token: string;
        };
        /** @description `forecast`: the weather of these favourites looks different now; fetch it. */
        StreamForecast: {
            favourites: string[];
            /**
             * Format: date-time
             * @description When the provider computed the newest of it, or when it was fetched from one that does not say.
             * @example 2026-11-21T09:28:16Z
             */
            issued_at: string;
        };
        /** @description `hello`: where the stream stands, at its beginning and after each `reset`. */
        StreamHello: {
            /** @example v1.2851.57 */
            cursor: string;
            /**
             * Format: int64
             * @description Seconds between two signs of life on a stream where nothing happens.
             * @example 20
             */
            heartbeat_s: number;
        };
        /** @description `reset`: the changes since the client's cursor cannot be told; it takes the snapshot. */
        StreamReset: {
            /**
             * @description `expired`, `era`, `ahead` or `malformed`.
             * @example expired
             */
            reason: string;
        };
        /** @description `session`: the stream ends, or `expiring`: within a minute. */
        StreamSession: {
            /**
             * @description `expiring`, `expired`, `revoked` or `replaced`.
             * @example expiring
             */
            state: string;
        };
        /** @description What opens one stream. */
        StreamTicket: {
            /**
             * Format: int64
             * @description Seconds for which it is good.
             * @example 30
             */
            expires_in: number;
            /**
             * @description For `?ticket=`; good once.
             * @example 3q2-7wXkq0hBv0jYk1rXo2m5u8zTgP4cW6sLfN9dAbE
             */
            ticket: string;
        };
        /** @description What a device did, and how far it knows the log. */
        Sync: {
            /**
             * Format: uuid
             * @description Made by the client, one per installation: what one device did is no news to itself.
             */
            device: string;
            /** @description In the order in which they were made. */
            mutations: components["schemas"]["Mutation"][];
            /**
             * @description The device's cursor; null when it is about to take the snapshot.
             * @example v1.2851.41
             */
            since?: string | null;
        };
        /** @description What became of a batch. */
        SyncResult: {
            delta: components["schemas"]["Delta"] | null;
            reset: components["schemas"]["Reset"] | null;
            /** @description One per mutation, in their order. */
            results: components["schemas"]["MutationResult"][];
        };
        /** @description What a signed-in client keeps. Our own web page gets a cookie instead, and no tokens. */
        Tokens: {
            /** @description JWT (ES256), for `Authorization: Bearer`. */
            access_token: string;
            /** Format: uuid */
            account_id: string;
            /**
             * Format: int64
             * @description Seconds.
             * @example 600
             */
            expires_in: number;
            /**
             * @description Exchange it at `/v1/auth/refresh`, once.
             * @example rt1.AZ3x…
             */
            refresh_token: string;
            /** Format: uuid */
            session_id: string;
            /** @example Bearer */
            token_type: string;
        };
        /** @description A WMO 4677 code of the kind forecasts carry. */
        WeatherCode: {
            /**
             * Format: int32
             * @example 61
             */
            code: number;
            /**
             * @description Name of a symbol; the web app draws one for each.
             * @example rain
             */
            icon: string;
            /** @example slight rain */
            text: string;
        };
        WeatherCodeList: {
            items: components["schemas"]["WeatherCode"][];
            next: string | null;
        };
    };
    responses: {
        /** @description The body is larger than 64 KiB (256 KiB for a batch) */
        BodyTooLarge: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description It was changed meanwhile; `current` is what is there now */
        ConditionFailed: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The present state does not allow this; `code` says why */
        Conflict: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The web app's session was used from another origin */
        CrossSite: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The changes since the cursor cannot be told; `reason` says why */
        CursorExpired: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Something broke on our side; it was noted */
        Internal: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Something does not fit; `errors` points at each field */
        Invalid: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The body is not JSON, or could not be read */
        Malformed: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description There is nothing here, or it is not yours */
        NotFound: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The body is not declared as JSON */
        NotJson: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description A limit is reached */
        TooManyRequests: {
            headers: {
                /** @description Seconds to wait before the next try */
                "Retry-After"?: string;
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description No credential, or one that does not count (any more) */
        Unauthenticated: {
            headers: {
                /** @description What kind of credential is missing */
                "WWW-Authenticate"?: string;
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Not available just now; try again */
        Unavailable: {
            headers: {
                /** @description Seconds to wait before the next try */
                "Retry-After"?: string;
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    getSigningKeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A JSON Web Key Set */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    getHealth: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Alive */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    getReadiness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Ready */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    startAnonymously: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description May be left out */
        requestBody?: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            /** @description The new account */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tokens"];
                };
            };
            /** @description The web app: a session cookie was set */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["CrossSite"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    signIn: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Credentials"];
            };
        };
        responses: {
            /** @description Signed in */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tokens"];
                };
            };
            /** @description The web app: a session cookie was set */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["CrossSite"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    signOut: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description May be left out */
        requestBody?: {
            content: {
                "application/json": components["schemas"]["LogoutRequest"];
            };
        };
        responses: {
            /** @description The session has ended */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["CrossSite"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    refreshTokens: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RefreshRequest"];
            };
        };
        responses: {
            /** @description The next pair */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tokens"];
                };
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["CrossSite"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    register: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Credentials"];
            };
        };
        responses: {
            /** @description A code is on its way, if the address can be mailed */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Registration"];
                };
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["CrossSite"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    confirmRegistration: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Confirmation"];
            };
        };
        responses: {
            /** @description Signed in */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tokens"];
                };
            };
            /** @description The web app: a session cookie was set */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["CrossSite"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    revokeToken: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RevokeRequest"];
            };
        };
        responses: {
            /** @description It does not count any more */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["CrossSite"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    listChanges: {
        parameters: {
            query: {
                /**
                 * @description A cursor: of the snapshot, or `to` of the delta before
                 * @example v1.2851.41
                 */
                since: string;
                /**
                 * @description Changes of one page; 500 when left out
                 * @example 500
                 */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The changes */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Delta"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            410: components["responses"]["CursorExpired"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    listFavourites: {
        parameters: {
            query?: {
                /**
                 * @description Favourites of one page: 1 to the account's quota, 200 when left out.
                 * @example 200
                 */
                limit?: number;
                /** @description `next` of the page before. */
                after?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of favourites */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FavouritePage"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    createFavourite: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Repeats of the request have its effect once, for 24 hours
                 * @example 8e03978e-40d5-43e8-bc93-6894a57f9324
                 */
                "Idempotency-Key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewFavourite"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    /** @description `"r<rev>"` */
                    ETag?: string;
                    /** @description Where it is */
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedFavourite"];
                };
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["CrossSite"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    listFavouriteForecasts: {
        parameters: {
            query?: {
                /**
                 * @description Hours from the present one; at most 384.
                 * @example 12
                 */
                hours?: number;
                /**
                 * @description Days from today; at most 16.
                 * @example 1
                 */
                days?: number;
                units?: "metric" | "imperial" | "si";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One item for each favourite, in their order */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FavouriteForecasts"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["CrossSite"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    getFavourite: {
        parameters: {
            query?: never;
            header?: {
                /** @description ETags that the client has */
                "If-None-Match"?: string | null;
            };
            path: {
                /** @description Of the favourite */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The favourite */
            200: {
                headers: {
                    /** @description `"r<rev>"` */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Favourite"];
                };
            };
            /** @description The client has it already */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            401: components["responses"]["Unauthenticated"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    putFavourite: {
        parameters: {
            query?: never;
            header?: {
                /** @description Only if its ETag is one of these */
                "If-Match"?: string | null;
                /** @description `*`: only if there is none yet */
                "If-None-Match"?: string | null;
                /**
                 * @description Repeats of the request have its effect once, for 24 hours
                 * @example 8e03978e-40d5-43e8-bc93-6894a57f9324
                 */
                "Idempotency-Key"?: string | null;
            };
            path: {
                /** @description Made by the client */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewFavourite"];
            };
        };
        responses: {
            /** @description Replaced */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Favourite"];
                };
            };
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedFavourite"];
                };
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["CrossSite"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            412: components["responses"]["ConditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    deleteFavourite: {
        parameters: {
            query?: never;
            header?: {
                /** @description Only if its ETag is one of these */
                "If-Match"?: string | null;
                /**
                 * @description Repeats of the request have its effect once, for 24 hours
                 * @example 8e03978e-40d5-43e8-bc93-6894a57f9324
                 */
                "Idempotency-Key"?: string | null;
            };
            path: {
                /** @description Of the favourite */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["CrossSite"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            412: components["responses"]["ConditionFailed"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    patchFavourite: {
        parameters: {
            query?: never;
            header?: {
                /** @description Only if its ETag is one of these */
                "If-Match"?: string | null;
                /**
                 * @description Repeats of the request have its effect once, for 24 hours
                 * @example 8e03978e-40d5-43e8-bc93-6894a57f9324
                 */
                "Idempotency-Key"?: string | null;
            };
            path: {
                /** @description Of the favourite */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FavouritePatch"];
                "application/merge-patch+json": components["schemas"]["FavouritePatch"];
            };
        };
        responses: {
            /** @description The favourite as it is now */
            200: {
                headers: {
                    /** @description `"r<rev>"` */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Favourite"];
                };
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["CrossSite"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            412: components["responses"]["ConditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    getFavouriteForecast: {
        parameters: {
            query?: {
                /**
                 * @description Hours from the present one; at most 384.
                 * @example 12
                 */
                hours?: number;
                /**
                 * @description Days from today; at most 16.
                 * @example 1
                 */
                days?: number;
                units?: "metric" | "imperial" | "si";
            };
            header?: never;
            path: {
                /** @description Of the favourite */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The forecast */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Forecast"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["CrossSite"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    getPointForecasts: {
        parameters: {
            query?: {
                /**
                 * @description Hours from the present one; at most 384.
                 * @example 12
                 */
                hours?: number;
                /**
                 * @description Days from today; at most 16.
                 * @example 1
                 */
                days?: number;
                units?: "metric" | "imperial" | "si";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ForecastsRequest"];
            };
        };
        responses: {
            /** @description One item for each point, in their order */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PointForecasts"];
                };
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["CrossSite"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    getMe: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The account */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Me"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    adoptAccount: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description May be left out */
        requestBody?: {
            content: {
                "application/json": components["schemas"]["AdoptRequest"];
            };
        };
        responses: {
            /** @description What became of its favourites */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Adopted"];
                };
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["CrossSite"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    setPreferences: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Preferences"];
            };
        };
        responses: {
            /** @description Kept */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["CrossSite"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    searchPlaces: {
        parameters: {
            query: {
                /**
                 * @description What was typed so far; at most 100 characters. "City, Country" and "City, State" work.
                 * @example Lisb
                 */
                q: string;
                /**
                 * @description Language of names, where the data has them.
                 * @example de
                 */
                lang?: string;
                /**
                 * @description Prefer places near `lat,lon`, in whole degrees: an exact position is not wanted here.
                 * @example 39,-9
                 */
                near?: string;
                /** @example 8 */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Places, best first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlaceList"];
                };
            };
            403: components["responses"]["CrossSite"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    findNearestPlace: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Point"];
            };
        };
        responses: {
            /** @description The place and how far it is */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NearestPlace"];
                };
            };
            400: components["responses"]["Malformed"];
            403: components["responses"]["CrossSite"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    getPlace: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Of the gazetteer
                 * @example 2267057
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The place */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Place"];
                };
            };
            403: components["responses"]["CrossSite"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    getPlaceForecast: {
        parameters: {
            query?: {
                /**
                 * @description Hours from the present one; at most 384.
                 * @example 12
                 */
                hours?: number;
                /**
                 * @description Days from today; at most 16.
                 * @example 1
                 */
                days?: number;
                units?: "metric" | "imperial" | "si";
            };
            header?: never;
            path: {
                /**
                 * @description Of the gazetteer
                 * @example 2267057
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The forecast */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Forecast"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["CrossSite"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    followChanges: {
        parameters: {
            query?: {
                /**
                 * @description Where to go on from; the header `Last-Event-ID` goes before it. Without either the stream begins at the
                 *     present.
                 * @example v1.2851.57
                 */
                cursor?: string;
                /** @description From `POST /v1/stream/ticket`, for clients that can set no header. */
                ticket?: string;
            };
            header?: {
                /**
                 * @description The last cursor that was received; browsers send it by themselves
                 * @example v1.2851.57
                 */
                "Last-Event-ID"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Events until somebody closes the stream */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            401: components["responses"]["Unauthenticated"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    createStreamTicket: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The ticket */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StreamTicket"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["CrossSite"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    sync: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Sync"];
            };
        };
        responses: {
            /** @description What became of each mutation, and what changed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResult"];
                };
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["CrossSite"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    listWeatherCodes: {
        parameters: {
            query?: {
                /**
                 * @description `en` or `de`; English for any other.
                 * @example en
                 */
                lang?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All codes */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WeatherCodeList"];
                };
            };
            422: components["responses"]["Invalid"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    followChangesOverWebSocket: {
        parameters: {
            query?: {
                /**
                 * @description Where to go on from; the header `Last-Event-ID` goes before it. Without either the stream begins at the
                 *     present.
                 * @example v1.2851.57
                 */
                cursor?: string;
                /** @description From `POST /v1/stream/ticket`, for clients that can set no header. */
                ticket?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Frames until somebody closes the connection */
            101: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["CrossSite"];
            422: components["responses"]["Invalid"];
            /** @description The request asks for no WebSocket */
            426: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
}
