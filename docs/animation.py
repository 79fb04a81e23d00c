"""Turn a video into an animated WebP that a page plays by itself; the README's is made by

python play.py policies/walk.pt --robot anymal_c_menagerie --command 0.8 0 0.4 --seconds 3 \
    --size 640 360 --video walk.mp4
python docs/animation.py walk.mp4 docs/images/walk.webp
"""

import subprocess
import sys

import imageio_ffmpeg

video, picture = sys.argv[1:]
command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-loglevel", "error", "-i", f"file:{video}"]
command += ["-vf", "fps=20", "-c:v", "libwebp", "-quality", "45", "-loop", "0", f"file:{picture}"]
subprocess.run(command, check=True)
