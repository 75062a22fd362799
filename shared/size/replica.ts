// What a page bundles that has a connection of its own, and takes the book and the codec alone.
export { BookReplica, msgpackCodec } from '@depthwire/shared';
