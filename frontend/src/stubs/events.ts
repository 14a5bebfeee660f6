/** Stands in for Node's `events`: a dependency of dcmjs extends its class at load and never uses it here. */
export class EventEmitter {}
export default EventEmitter;
