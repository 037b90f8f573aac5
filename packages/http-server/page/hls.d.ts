/** The server delivers the package under this name. */
export { default } from 'hls.js';
