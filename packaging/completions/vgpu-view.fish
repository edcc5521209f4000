# fish completion for vgpu-view(1). Commands and options are read from --help, so they are always those of the program.

function __vgpu_view_commands
    vgpu-view --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\)  *\(.*\)/\1\t\2/p'
end

function __vgpu_view_command
    set -l words (commandline -opc)
    if set -q words[2]; and __vgpu_view_commands | string match -q "$words[2]"\t'*'
        echo $words[2]
    else
        echo window
    end
end

function __vgpu_view_options
    vgpu-view (__vgpu_view_command) --help 2>/dev/null | sed -n 's/^  \(-[A-Za-z],\)\?\(--[a-z0-9-]*\)[^ ]* *\(.*\)/\2\t\3/p'
end

function __vgpu_view_sources
    vgpu-view list 2>/dev/null | sed -n '2,$s/^\([0-9a-f-]*\)  *\([^ ]*\).*/\1\t\2/p'
    printf 'test:\tthe built-in test vGPU\n'
end

complete -c vgpu-view -f
complete -c vgpu-view -n 'test (count (commandline -opc)) -eq 1' -a '(__vgpu_view_commands)'
complete -c vgpu-view -a '(__vgpu_view_sources)'
complete -c vgpu-view -n 'string match -q -- "-*" (commandline -ct)' -a '(__vgpu_view_options)'
complete -c vgpu-view -n 'test (__vgpu_view_command) = shot' -F
