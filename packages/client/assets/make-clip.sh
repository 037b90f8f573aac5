#!/usr/bin/env bash
# Makes clip.flv, the embedded test stream: a picture with a running clock, and a melody on its beat.
# Needs ffmpeg 5.1 or newer with libx264 and drawtext, and the DejaVu fonts (apt-get install ffmpeg fonts-dejavu-core).
#
# The clip loops without a seam because 20.48 s is at once
#   512 pictures of 1/25 s, in 16 groups of 32 pictures (1.28 s), each group one beat of the melody, and
#   960 AAC frames of 1024 samples at 48 kHz.
# Everything that moves or sounds repeats after 20.48 s or a whole fraction of it. To play it again, add 20480 ms to its timestamps.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

readonly FPS=25 PICTURES=512 GOP=32 SAMPLE_RATE=48000 AAC_FRAMES=960
readonly LOOP=20.48 BEAT=1.28
readonly FONTS=${FONTS:-/usr/share/fonts/truetype/dejavu}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
run() { ffmpeg -nostdin -hide_banner -loglevel error -y "$@"; }

# What stands still: a dark gradient with a light in the upper right, colour bars below, the dial.
ring='between(hypot(X-478\,Y-152)\,93\,96)'
dial='lte(hypot(X-478\,Y-152)\,93)'
glow='exp(-pow(hypot((X-470)/330\,(Y-130)/210)\,2))'
bar='floor(X*8/640)'
bars='gte(Y\,322)'
run -f lavfi -i color=black:s=640x360 -frames:v 1 -vf "format=gbrp,geq=\
r='if($bars\,if(eq(mod($bar\,4)\,0)+eq(mod($bar\,4)\,1)\,216\,30)\,if($ring\,120\,12+24*$glow+$dial*10))':\
g='if($bars\,if(lt($bar\,4)\,204\,34)\,if($ring\,196\,20+52*$glow+$dial*10))':\
b='if($bars\,if(eq(mod($bar\,2)\,0)\,208\,40)\,if($ring\,220\,44+62*$glow+$dial*12))'" "$work/still.png"

# What moves: the hand's dot, the light of the beat, the cursor over the bars.
disc() { # size red green blue
  local r=$(($1 / 2))
  run -f lavfi -i "color=black:s=$1x$1" -frames:v 1 -vf \
    "format=rgba,geq=r=$2:g=$3:b=$4:a='255*clip($r-hypot(X-$r+0.5\,Y-$r+0.5)\,0\,1)'" "$5"
}
disc 34 255 196 64 "$work/dot.png"
disc 120 255 120 72 "$work/beat.png"
run -f lavfi -i color=white:s=4x38 -frames:v 1 "$work/cursor.png"

angle="2*PI*t/(4*$BEAT)"
text() { # font size x y colour text
  printf 'drawtext=fontfile=%s/%s.ttf:fontsize=%s:x=%s:y=%s:fontcolor=%s:text=%s' "$FONTS" "$1" "$2" "$3" "$4" "$5" "$6"
}
graph="[0]\
$(text DejaVuSans-Bold 64 40 44 white "'SRS'"),\
$(text DejaVuSans 21 42 116 0xB8D8E8 "'live test stream'"),\
$(text DejaVuSansMono-Bold 76 36 176 0xFFD060 "'%{eif\\:floor(n/$FPS)\\:d\\:2}.%{eif\\:mod(n\\,$FPS)*100/$FPS\\:d\\:2}'"),\
$(text DejaVuSans 14 42 254 0x88A8BC "'seconds of 20.48'"),\
$(text DejaVuSans 14 42 288 0x88A8BC "'H.264 640x360 25 fps   AAC 48 kHz stereo'")[base];\
[2]format=rgba,fade=t=out:st=0:d=0.6:alpha=1,loop=loop=-1:size=$GOP,setpts=N/$FPS/TB[beat];\
[base][beat]overlay=x=418:y=92[b1];\
[b1][1]overlay=x='478-17+78*sin($angle)':y='152-17-78*cos($angle)'[b2];\
[b2][3]overlay=x='636*t/$LOOP':y=322,format=yuv420p[out]"

run -framerate $FPS -loop 1 -i "$work/still.png" -framerate $FPS -loop 1 -i "$work/dot.png" \
  -framerate $FPS -loop 1 -i "$work/beat.png" -framerate $FPS -loop 1 -i "$work/cursor.png" \
  -filter_complex "$graph" -map '[out]' -frames:v $PICTURES -r $FPS \
  -c:v libx264 -preset veryslow -profile:v main -level 3.0 -bf 0 -refs 3 -g $GOP -keyint_min $GOP -sc_threshold 0 \
  -crf "${CRF:-28}" -threads 1 -flags +bitexact -fflags +bitexact -bsf:v filter_units=remove_types=6 "$work/picture.mp4"

# One note a beat, alternating left and right, over a low fifth. All frequencies are whole cycles a loop, so no click at the seam.
hz() { echo "(round($1*$LOOP)/$LOOP)"; }
beat_number="mod(floor(t/$BEAT)\,16)"
notes=(392 440 523.25 587.33 659.25 587.33 523.25 440 392 329.63 392 440 523.25 440 392 329.63)
pitch=0
for i in "${!notes[@]}"; do pitch="$pitch+eq($beat_number\,$i)*$(hz "${notes[$i]}")"; done
ping="exp(-4.5*mod(t\,$BEAT))*min(1\,mod(t\,$BEAT)*200)*sin(2*PI*($pitch)*mod(t\,$LOOP))"
pad="0.05*sin(2*PI*$(hz 130.81)*t)+0.04*sin(2*PI*$(hz 196)*t)"
left="$pad+$ping*(0.16+0.06*eq(mod($beat_number\,2)\,0))"
right="$pad+$ping*(0.16+0.06*eq(mod($beat_number\,2)\,1))"
# Three rounds are encoded and the second is kept: the encoder has warmed up and every round of the loop is alike.
run -f lavfi -i "aevalsrc='$left|$right':s=$SAMPLE_RATE:d=61.44" -c:a aac -b:a "${AUDIO_BITRATE:-48k}" -flags +bitexact -f adts "$work/tone.aac"

run -i "$work/tone.aac" -c copy -bsf:a "noise=drop=lt(n\,$AAC_FRAMES)+gte(n\,2*$AAC_FRAMES)" -f adts "$work/round.aac"

run -i "$work/picture.mp4" -i "$work/round.aac" -map 0:v -map 1:a -map_metadata -1 -c copy -bsf:a aac_adtstoasc \
  -fflags +bitexact -metadata title='SRS live test stream' -f flv clip.flv

ls -l clip.flv
