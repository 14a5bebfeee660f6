/** Stands in for Node's `events`: a library that dcmjs drags along extends its class at load and never uses it here. */
export class EventEmitter {}
export default EventEmitter;
