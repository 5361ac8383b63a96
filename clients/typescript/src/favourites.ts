import type { Copy, LocalFavourite } from './copy.ts';
import type { Environment } from './environment.ts';
import { behind, move } from './position.ts';
import { Problem } from './problem.ts';
import type { Sync } from './sync.ts';
import type { Fields, Mutation, Place } from './types.ts';
import { uuidv7 } from './uuid.ts';

/** A new favourite: an entry of the gazetteer, whose name may be replaced, or a name with a coordinate. */
export type NewFavourite = { note?: string | null; position?: string } & (
  | { place: Place; name?: string }
  | { name: string; lat: number; lon: number; elevation?: number | null; tz?: string }
);

/** The favourites of the account: read from this device, changed at once, sent when that is possible. */
export class Favourites {
  readonly #sync: () => Sync | null;
  readonly #env: Environment;

  constructor(sync: () => Sync | null, env: Environment) {
    this.#sync = sync;
    this.#env = env;
  }

  /** In order, with unsent changes. Null while nothing is known, as on the first start of a device. */
  get list(): readonly LocalFavourite[] | null {
    return this.#sync()?.list ?? null;
  }

  get(id: string): LocalFavourite | null {
    return this.list?.find((favourite) => favourite.id === id) ?? null;
  }

  /** Adds a favourite, behind all others unless it has a position, and gives its id. */
  async create(given: NewFavourite): Promise<string> {
    const id = uuidv7(this.#env.now(), this.#env.bytes);
    const [fields, tz] = fieldsOf(given);
    const position = given.position ?? behind(this.list?.at(-1)?.position ?? null);
    await this.#edit(() => ({ op: 'create', id, base_rev: null, set: { ...fields, position } }), tz);
    return id;
  }

  /**
   * Changes fields, and only those. With `if_match` the change happens only if nobody else has changed the favourite
   * meanwhile; it is refused as `stale` otherwise.
   */
  async update(id: string, set: Partial<Fields>, policy: NonNullable<Mutation['policy']> = 'merge'): Promise<void> {
    const known = this.get(id);
    if (!known) throw new Problem({ code: 'not_found', status: 404, detail: 'there is no such favourite' });
    const changed = Object.entries(set).filter(([field, value]) => known[field as keyof Fields] !== value);
    if (changed.length === 0) return;
    await this.#edit((copy) => ({ op: 'update', id, base_rev: copy.rows[id]?.rev ?? null, set: Object.fromEntries(changed), policy }));
  }

  async remove(id: string): Promise<void> {
    if (this.get(id)) await this.#edit((copy) => ({ op: 'delete', id, base_rev: copy.rows[id]?.rev ?? null }));
  }

  /** Moves a favourite to an index of the list: one small change, or a few where positions have no room left. */
  async move(id: string, to: number): Promise<void> {
    const list = this.list ?? [];
    const from = list.findIndex((favourite) => favourite.id === id);
    for (const { id: moved, position } of move(list, from, to)) await this.update(moved, { position });
  }

  /** Makes the unsent changes of another account's copy anew: that account's favourites are here under other ids. */
  async carry({ rows, queue }: Copy): Promise<void> {
    for (const { mutation, rev, tz } of queue) {
      const was = rows[mutation.id];
      const id = was ? this.list?.find(({ lat, lon }) => lat === was.lat && lon === was.lon)?.id : mutation.id;
      if (rev === null && id) await this.#edit((copy) => ({ ...mutation, id, base_rev: copy.rows[id]?.rev ?? null }), tz);
    }
  }

  #edit(change: (copy: Copy) => Omit<Mutation, 'mid' | 'kind'>, tz?: string): Promise<void> {
    const sync = this.#sync();
    if (!sync) throw new Problem({ code: 'credential_required', status: 401, detail: 'there is no account yet' });
    return sync.edit(change, tz);
  }
}

function fieldsOf(given: NewFavourite): [Omit<Fields, 'position'>, string | undefined] {
  const note = given.note ?? null;
  if ('place' in given) {
    const { id, name, lat, lon, elevation, tz } = given.place;
    return [{ name: given.name ?? name, lat, lon, place_id: id, elevation, note }, tz];
  }
  const { name, lat, lon, elevation = null, tz } = given;
  return [{ name, lat, lon, place_id: null, elevation, note }, tz];
}
