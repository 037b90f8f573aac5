/** An HTTP server's no. */
import { SrsError } from '@srs/kernel';

export class HttpRefusal extends SrsError {
  readonly status: number;

  constructor(where: string, status: number, statusText: string) {
    super('HttpStatus', `${where} answered ${status}${statusText === '' ? '' : ` ${JSON.stringify(statusText.slice(0, 100))}`}`);
    this.status = status;
  }
}
