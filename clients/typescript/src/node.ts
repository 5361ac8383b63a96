/** What only Node has. */
export { fileStorage } from './store/file.ts';
