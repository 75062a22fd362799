export { createFace } from './ticker.ts';
