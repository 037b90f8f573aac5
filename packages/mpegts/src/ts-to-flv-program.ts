/** Finds the program of a transport stream that is followed, and which of its streams can be carried in FLV. */
import { SrsError } from '@srs/kernel';
import { pids, streamTypes } from './program-tables.ts';
import { readPmt, readPrograms, type TsProgram, type TsProgramEntry } from './ts-sections.ts';
import type { LoosePacket } from './ts-to-flv-packets.ts';
import { SectionGatherer } from './ts-to-flv-sections.ts';

/** What is taken of a program: the first picture and the first sound that FLV can carry. */
export interface ChosenTracks {
  readonly video: ChosenTrack | undefined;
  readonly audio: ChosenTrack | undefined;
}

export interface ChosenTrack {
  readonly pid: number;
  readonly streamType: number;
}

export interface ProgramChoiceHandler {
  /** Other tracks than before are to be followed. */
  onTracks(tracks: ChosenTracks): void;
  onWarning(text: string): void;
}

/** Of a multiplex with more, the first ones are looked at. */
const MAX_PROGRAMS = 16;
const videoTypes: readonly number[] = [streamTypes.avc, streamTypes.hevc];
const audioTypes: readonly number[] = [streamTypes.aac, streamTypes.mpeg1Audio, streamTypes.mpeg2Audio];

/**
 * Follows the program whose PMT is the first to list a stream that can be carried, for as long as the PAT lists it. Tables that are
 * damaged are left out: they come again.
 */
export class ProgramChoice {
  readonly #handler: ProgramChoiceHandler;
  readonly #pat = new SectionGatherer((section) => this.#onPat(section));
  /** By the PID of the PMT. */
  readonly #pmts = new Map<number, SectionGatherer>();
  #chosenPmt: number | undefined;
  #tracks: ChosenTracks = { video: undefined, audio: undefined };

  constructor(handler: ProgramChoiceHandler) {
    this.#handler = handler;
  }

  /** @returns whether the packet was one of a table */
  add(packet: LoosePacket): boolean {
    const gatherer = packet.pid === pids.pat ? this.#pat : this.#pmts.get(packet.pid);
    gatherer?.add(packet);
    return gatherer !== undefined;
  }

  #onPat(section: Buffer): void {
    const programs = this.#read(section, readPrograms);
    if (programs === undefined) return;
    const listed = new Set(programs.slice(0, MAX_PROGRAMS).map(({ pmtPid }: TsProgramEntry) => pmtPid));
    for (const pid of this.#pmts.keys()) if (!listed.has(pid)) this.#pmts.delete(pid);
    for (const pid of listed) {
      if (!this.#pmts.has(pid)) this.#pmts.set(pid, new SectionGatherer((pmt) => this.#onPmt(pid, pmt)));
    }
    if (this.#chosenPmt !== undefined && !listed.has(this.#chosenPmt)) this.#chosenPmt = undefined;
  }

  #onPmt(pid: number, section: Buffer): void {
    if (this.#chosenPmt !== undefined && this.#chosenPmt !== pid) return;
    const program = this.#read(section, readPmt);
    if (program === undefined) return;
    const tracks = { video: firstOf(program, videoTypes), audio: firstOf(program, audioTypes) };
    if (tracks.video === undefined && tracks.audio === undefined) {
      this.#handler.onWarning(`a program has no stream that can be carried: ${listTypes(program)}`);
      return;
    }
    const others = program.streams.filter(({ pid: other }) => other !== tracks.video?.pid && other !== tracks.audio?.pid);
    if (others.length > 0) {
      this.#handler.onWarning(`streams of the program are left out: ${listTypes({ ...program, streams: others })}`);
    }
    this.#chosenPmt = pid;
    if (isSame(tracks.video, this.#tracks.video) && isSame(tracks.audio, this.#tracks.audio)) return;
    this.#tracks = tracks;
    this.#handler.onTracks(tracks);
  }

  #read<T>(section: Buffer, read: (section: Buffer) => T): T | undefined {
    try {
      return read(section);
    } catch (error) {
      if (!(error instanceof SrsError)) throw error;
      this.#handler.onWarning(error.message);
      return undefined;
    }
  }
}

const firstOf = ({ streams }: TsProgram, types: readonly number[]): ChosenTrack | undefined =>
  streams.find(({ streamType }) => types.includes(streamType));

const isSame = (one: ChosenTrack | undefined, other: ChosenTrack | undefined): boolean =>
  one?.pid === other?.pid && one?.streamType === other?.streamType;

/** A hostile table lists hundreds. */
const MAX_LISTED = 8;
const listTypes = ({ streams }: TsProgram): string =>
  streams
    .slice(0, MAX_LISTED)
    .map(({ pid, streamType }) => `pid ${pid} of type 0x${streamType.toString(16)}`)
    .join(', ');
